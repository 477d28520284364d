import type { Random } from '../base/random.js';

/** How far a policy strays from its best action. */
export interface Exploration {
  readonly random: Random;
  /** Factor on the policy's own standard deviation: 1 as trained, 0 the mean action. */
  readonly scale: number;
}

/**
 * From observation to action, in the thread that calls it, at once and without allocating. A policy
 * with memory keeps it inside and clears it in `reset`, which is called at the start of every episode.
 */
export interface Policy {
  readonly observationSize: number;
  readonly actionSize: number;
  /**
   * @param observation [observationSize], in the units of the manifest's observation contract
   * @param action [actionSize], written: each within [−1, 1]
   * @param explore absent for the mean action
   */
  act(observation: Float32Array, action: Float32Array, explore?: Exploration): void;
  /**
   * Tells what the safety kernel made of the last action, before the next one is asked for. Policies
   * that do not remember their actions lack it; one that is not told takes its own for executed.
   */
  executed?(action: ArrayLike<number>): void;
  /** How a policy goes on where nothing is sensed; policies without a model of the world lack it. */
  readonly imagination?: Imagination;
  /** How little what was seen was expected; policies without a model of the world lack it. */
  readonly surprise?: Surprise;
  reset(): void;
}

export interface Surprise {
  /** At the last action, one number for each signal. */
  readonly values: Float32Array;
  /** @returns what so large a share of training steps stayed below, signal by signal; undefined where that is not known */
  limits(quantile: number): ArrayLike<number> | undefined;
}

export interface Imagination {
  /** As `act`, with the policy's own expectation in place of an observation. */
  act(action: Float32Array, explore?: Exploration): void;
  /** After so long without an observation the robot is to stop. */
  readonly longest_s: number;
}
