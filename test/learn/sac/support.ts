import type { Random } from '../../../src/base/random.js';
import { type SacBatch, type SacConfig, SacLearner, sacConfig } from '../../../src/learn/sac/index.js';
import type { EngineChoice } from '../../../src/tensor/index.js';

export const sizes = { observations: 3, actions: 2 };

/** Small enough for finite differences and hand-written sums. */
export const tiny = (overrides: Record<string, unknown> = {}, preset = 'sac'): SacConfig =>
  sacConfig(preset, { batch: 5, critic_hidden: [6, 7], actor_hidden: [7, 6], ...overrides });

export function normals(random: Random, count: number): Float32Array {
  const out = new Float32Array(count);
  random.fillNormal(out);
  return out;
}

export function randomBatch(random: Random, batch: number, { observations, actions } = sizes): SacBatch {
  return {
    observation: normals(random, batch * observations),
    action: normals(random, batch * actions).map(Math.tanh),
    reward: normals(random, batch),
    discount: Float32Array.from({ length: batch }, (_, i) => (i % 3 === 0 ? 0 : 0.99)),
    nextObservation: normals(random, batch * observations),
  };
}

export const learner = (
  config: SacConfig,
  seed = 1,
  of = sizes,
  engine: EngineChoice = 'auto',
): Promise<SacLearner> => SacLearner.create({ ...of, config, seed, engine });
