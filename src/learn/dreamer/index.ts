/** Dreamer: a world model learned from recorded sequences, and behaviour learned in it. */
export { dreamerMetrics } from './dreamer.js';
export {
  type DreamerBatch,
  type DreamerCheckpoint,
  DreamerLearner,
  type DreamerMetrics,
  type DreamerOptions,
  type DreamerStates,
} from './learner.js';
export type { WorldContract } from './networks.js';
export { type DreamerConfig, dreamerConfig, dreamerSizes, dreamerVersions } from './presets.js';
