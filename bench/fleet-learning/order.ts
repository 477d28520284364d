/** What a process of simulated robots that learn is told, as JSON on its command line. */
export interface LearningOrder {
  readonly url: string;
  readonly site: string;
  readonly run: string;
  /** File of the key that they trust. */
  readonly trust: string;
  /** By name, as the shipped ones. */
  readonly robot: string;
  readonly task: string;
  readonly names: readonly string[];
  /** Each has a folder in it. */
  readonly folder: string;
  readonly seed: number;
  /** Transitions of all of them before the learner's first update, and its updates for each later one. */
  readonly warmup: number;
  readonly updatesPerStep: number;
}

/** On its standard input: make no more transitions, and end when a learner has stored all. */
export const STOP = 'stop\n';
