import type { Evaluation } from '../../policy/manifest.js';

/** Transitions of one round, row after row in time order within each stream. */
export interface Rollout {
  readonly count: number;
  /** [count]: the environment that a row comes from. */
  readonly stream: Int32Array;
  /** [count]: an `Ending`. */
  readonly ending: Uint8Array;
  /** [count] */
  readonly reward: Float32Array;
  /** [count, observation] */
  readonly observation: Float32Array;
  /** [count, action]: what the safety kernel executed. */
  readonly action: Float32Array;
  /** [count, observation] */
  readonly nextObservation: Float32Array;
  /** Returns and lengths in steps of the episodes that ended in this round. */
  readonly episodeReturns: readonly number[];
  readonly episodeSteps: readonly number[];
}

/** How a step left its episode, as a code. `interrupted` rows are worthless and only end their stream's episode. */
export const Ending = { none: 0, terminated: 1, truncated: 2, interrupted: 3 } as const;

/** What a trainer needs of the world: transitions under a policy, and how good a policy is. */
export interface Collector {
  /** Environments that step in each round. */
  readonly environments: number;
  /**
   * Steps every environment on. A candidate that is being evaluated moves on beside, by a fixed
   * number of steps, so that a seed repeats everything.
   * @param parameters the actor's weights; undefined for uniformly random actions
   */
  collect(steps: number, parameters: Float32Array | undefined): Promise<Rollout[]>;
  /** Starts to evaluate a policy in the background of `collect`, on seeds that training does not use. */
  beginEvaluation(parameters: Float32Array, round: number): void;
  /** The finished evaluation, once; undefined while it runs. */
  takeEvaluation(): Evaluation | undefined;
  /** Evaluates now, with nothing beside it. @param seed draws the episodes */
  evaluate(
    parameters: Float32Array,
    episodes: number,
    seconds_each: number,
    seed: number,
  ): Promise<Evaluation>;
  close(): Promise<void>;
}
