/** Soft Actor-Critic and its variants. */
export { type ActorLayout, actorLayout, exportActor } from './export.js';
export {
  type SacBatch,
  type SacCheckpoint,
  SacLearner,
  type SacMetrics,
  type SacOptions,
} from './learner.js';
export { type SacConfig, type SacPreset, sacConfig, sacPresets, sacSchema } from './presets.js';
export { SacTraining } from './training.js';
