import type { ReplayContract } from './record.js';

export interface Transition {
  /** The environment or robot it comes from, a small integer. Transitions of one stream come in order. */
  readonly stream: number;
  readonly observation: ArrayLike<number>;
  /** What the safety kernel executed, not what the policy asked for. */
  readonly action: ArrayLike<number>;
  readonly reward: number;
  /** What was seen after the action, also where the episode ends with it. */
  readonly nextObservation: ArrayLike<number>;
  /** The task ended here: nothing follows. */
  readonly terminal: boolean;
  /** The episode was cut by time. */
  readonly truncated: boolean;
  /** The episode was cut from outside: by a person, by a stop. */
  readonly interrupted?: boolean;
  /** The action was shown, and is worth imitating. */
  readonly demonstrated?: boolean;
}

/** Rows of a learner's batch. Allocated once, filled by `sample`. */
export class ReplayBatch {
  /** [rows, observation] */
  readonly observation: Float32Array;
  /** [rows, action] */
  readonly action: Float32Array;
  /** [rows]: Σ γⁱ rᵢ over the steps that were taken together */
  readonly reward: Float32Array;
  /** [rows]: γᵏ (1 − terminal), the factor on the value of `nextObservation` */
  readonly discount: Float32Array;
  /** [rows, observation]: seen after the last of those steps */
  readonly nextObservation: Float32Array;
  /** [rows]: 1 where the transition comes from a demonstration, else 0 */
  readonly demonstrated: Float32Array;
  /** [rows]: the slot of each one's first step in the replay that it was drawn from */
  readonly slot: Int32Array;

  constructor(
    readonly rows: number,
    readonly contract: ReplayContract,
  ) {
    this.observation = new Float32Array(rows * contract.observation);
    this.action = new Float32Array(rows * contract.action);
    this.reward = new Float32Array(rows);
    this.discount = new Float32Array(rows);
    this.nextObservation = new Float32Array(rows * contract.observation);
    this.demonstrated = new Float32Array(rows);
    this.slot = new Int32Array(rows);
  }
}
