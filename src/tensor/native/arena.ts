import type { Instruction } from './schedule.js';
import type { Region } from './view.js';

/** Floats in a cache line: regions begin at one, so that threads do not share lines by chance. */
const LINE = 16;

export const aligned = (size: number): number => Math.ceil(size / LINE) * LINE;

interface Placed {
  readonly region: Region;
  readonly first: number;
  readonly last: number;
}

/**
 * Gives temporary regions their places. Two share a place only where a barrier lies between the last use of one and
 * the first use of the other.
 * @param base where temporary memory begins, in floats
 * @param reuse off: every region has a place of its own
 * @returns how many floats they take
 */
export function placeTemporaries(
  phases: readonly (readonly Instruction[])[],
  base: number,
  reuse = true,
): number {
  const lifetimes = new Map<Region, { first: number; last: number }>();
  for (const [phase, instructions] of phases.entries()) {
    for (const { region } of instructions.flatMap((i) => i.accesses)) {
      if (!region.temporary) continue;
      const known = lifetimes.get(region);
      lifetimes.set(region, { first: known?.first ?? phase, last: phase });
    }
  }
  // Large ones first, each at the lowest place that is free for as long as it lives.
  const placed: Placed[] = [];
  let end = 0;
  const largestFirst = [...lifetimes].sort(([a], [b]) => b.size - a.size);
  for (const [region, { first, last }] of largestFirst) {
    const size = aligned(region.size);
    const others = placed
      .filter((p) => !reuse || (p.first <= last && first <= p.last))
      .sort((a, b) => a.region.offset - b.region.offset);
    let offset = base;
    for (const { region: other } of others) {
      if (offset + size <= other.offset) break;
      offset = Math.max(offset, other.offset + aligned(other.size));
    }
    region.offset = offset;
    placed.push({ region, first, last });
    end = Math.max(end, offset + size - base);
  }
  return end;
}
