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
  reset(): void;
}
