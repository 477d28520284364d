import type { Replay } from './replay/replay.js';

/** What a resumed learner needs to go on, beside its replay. */
export interface LearnerCheckpoint {
  readonly tensors: Record<string, Float32Array>;
  readonly state: {
    readonly updates: number;
    /** Of the random numbers of updates, and of those that draw batches. */
    readonly random: readonly number[];
    readonly sampling: readonly number[];
  };
}

/** A learner with the replay that it draws from: all that trainers know of it. */
export interface ReplayLearner {
  readonly replay: Replay;
  /** Updates made so far. */
  readonly updates: number;
  /** Whether the replay holds enough for an update. */
  readonly ready: boolean;
  /** One update on what it draws. */
  update(): Promise<void>;
  /** A copy of the weights that the policy acts with. */
  policyParameters(): Float32Array;
  /** What the newest update measured. */
  metrics(): Record<string, number>;
  /** What takes longer to measure: asked for at each report. */
  study?(): Promise<Record<string, number>>;
  save(): LearnerCheckpoint;
  /** @throws UserError where the checkpoint is of a learner of other sizes; this one is then as before */
  load(checkpoint: LearnerCheckpoint): void;
  dispose(): Promise<void>;
}
