/** Dreamer: a world model learned from recorded sequences, and behaviour learned in it. */
export { type Channel, type Dream, dreamOf } from './dream.js';
export { dreamerMetrics } from './dreamer.js';
export { exportPolicy, policyNames } from './export.js';
export {
  type DreamerBatch,
  type DreamerCheckpoint,
  DreamerLearner,
  type DreamerMetrics,
  type DreamerOptions,
  type DreamerStates,
} from './learner.js';
export { DreamerNetworks, observedBy, type WorldContract, worldOf } from './networks.js';
export { errorByHorizon, type OpenLoop } from './openLoop.js';
export { dreamPicture } from './picture.js';
export { type DreamerConfig, dreamerConfig, dreamerSizes, dreamerVersions } from './presets.js';
export { surpriseQuantiles } from './surprise.js';
export { DreamerTraining, HORIZONS } from './training.js';
