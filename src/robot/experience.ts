/** One step that a robot made under a policy, as a learner needs it. */
export interface Experience {
  readonly episode: number;
  /** Counted from 0 in its episode. */
  readonly step: number;
  /** The task ended with this step: no reward follows. */
  readonly terminal: boolean;
  /** The episode was cut by time. */
  readonly truncated: boolean;
  /** A person commanded, in any part of the step. */
  readonly person: boolean;
  readonly reward: number;
  readonly observation: Float32Array;
  /** What the safety kernel executed. */
  readonly action: Float32Array;
  readonly nextObservation: Float32Array;
}
