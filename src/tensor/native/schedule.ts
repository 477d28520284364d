import type { instructions } from '../../kernels/vocabulary.js';
import { type Access, conflict, type Region } from './view.js';

/** Where a region's elements begin in the arena, in floats. */
export type Placing = (region: Region, offset?: number) => number;

export interface Instruction {
  readonly name: (typeof instructions)[number];
  readonly accesses: readonly Access[];
  /** Memory that each thread needs for it, in floats. */
  readonly scratch: number;
  /** Its words behind the first two. */
  readonly words: (at: Placing) => readonly number[];
}

interface Waiting {
  readonly instruction: Instruction;
  /** Earlier ones that must be done, and whether a barrier has to lie between. */
  readonly after: { readonly other: number; readonly barrier: boolean }[];
}

/**
 * Sorts instructions into phases, as few as can be had by taking everything that may run before the next barrier.
 * Within a phase no thread needs what another makes: rows of a batch stay with their thread through whole networks.
 * @param sequence an order in which they are right when run one after the other
 */
export function schedule(sequence: readonly Instruction[]): Instruction[][] {
  const waiting = sequence.map((instruction): Waiting => ({ instruction, after: [] }));
  const touched = new Map<Region, { by: number; access: Access }[]>();
  for (const [i, { instruction, after }] of waiting.entries()) {
    for (const access of instruction.accesses) {
      const earlier = touched.get(access.region) ?? [];
      touched.set(access.region, earlier);
      for (const { by, access: before } of earlier) {
        if (by === i) continue;
        const kind = conflict(before, access);
        if (kind !== 'none') after.push({ other: by, barrier: kind === 'barrier' });
      }
      earlier.push({ by: i, access });
    }
  }
  const phaseOf = new Map<number, number>();
  const phases: Instruction[][] = [];
  let left = [...waiting.keys()];
  while (left.length > 0) {
    const phase: Instruction[] = [];
    const later: number[] = [];
    for (const i of left) {
      const free = waiting[i].after.every(({ other, barrier }) => {
        const done = phaseOf.get(other);
        return done !== undefined && (!barrier || done < phases.length);
      });
      if (!free) {
        later.push(i);
        continue;
      }
      phaseOf.set(i, phases.length);
      phase.push(waiting[i].instruction);
    }
    if (phase.length === 0) throw new Error("instructions wait for one another: an engine's mistake");
    phases.push(phase);
    left = later;
  }
  return phases;
}
