import { setTimeout as sleep } from 'node:timers/promises';
import type { Gate } from './gate.js';

/** Somebody who does a piece of work in every round. */
export interface Contender {
  readonly engine: string;
  readonly threads: number;
  /** Does its piece of work once. @returns how often a second it could do it */
  run(): Promise<number>;
  /** The 99.9 % quantile of how long a single piece took, where pieces are looked at one by one. */
  p999_us?(): number;
  dispose?(): Promise<void>;
}

/** Rates of each contender, round by round. */
export type Rates<C extends Contender> = ReadonlyMap<C, readonly number[]>;

/** The threads of the one before may still be spinning. */
const PAUSE_MS = 20;
/** However slow the contenders are: medians want a few. */
const LEAST_ROUNDS = 5;

/**
 * Runs everybody once a round, there and back, so that whatever else the machine does falls on all alike. Rounds are
 * short: on a busy machine many short pairs agree better than few long ones.
 * @param seconds for all rounds together; at least LEAST_ROUNDS are run
 * @param gate has turns taken again in which the machine was slow
 */
export async function interleave<C extends Contender>(
  contenders: readonly C[],
  seconds: number,
  gate?: Gate,
): Promise<Rates<C>> {
  const rates = new Map<C, number[]>(contenders.map((c) => [c, []]));
  // The first run compiles and warms caches.
  for (const c of contenders) await c.run();
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < end; round++) {
    for (const c of round % 2 ? contenders.toReversed() : contenders) {
      await sleep(PAUSE_MS);
      rates.get(c)!.push(gate ? await gate.pass(() => c.run()) : await c.run());
    }
  }
  return rates;
}

/** @param q from 0 (least) to 1 (most) */
export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.round(q * (values.length - 1))];
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** From the 10 % to the 90 % quantile. */
export const spread = (values: readonly number[]): [number, number] => [
  quantile(values, 0.1),
  quantile(values, 0.9),
];

/** The median over rounds of one's rate against another's in the same round. */
export function pairedRatio(rates: readonly number[], others: readonly number[]): number {
  return median(rates.map((rate, round) => rate / others[round]));
}
