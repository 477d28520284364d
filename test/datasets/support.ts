import { Random } from '../../src/base/random.js';
import type { Episode, Features } from '../../src/datasets/features.js';

export const features: Features = {
  'observation.state': { dtype: 'float32', shape: [3], names: ['pan', 'lift', 'grip'] },
  action: { dtype: 'float32', shape: [3], names: ['pan', 'lift', 'grip'] },
  'next.reward': { dtype: 'float32', shape: [1], names: null },
  'next.done': { dtype: 'bool', shape: [1], names: null },
  capture_time: { dtype: 'float64', shape: [1], names: null },
};

/** Numbers that float32 holds exactly, so that sums can be compared for equality. */
export function exampleEpisode(length: number, seed: number, task = 'lift the block'): Episode {
  const random = new Random(seed);
  const draw = (n: number) => Float64Array.from({ length: n }, () => random.integer(4096) / 64 - 32);
  return {
    task,
    length,
    outcome: 'success',
    operator: 'anna',
    notes: '',
    columns: {
      'observation.state': draw(3 * length),
      action: draw(3 * length),
      'next.reward': draw(length),
      'next.done': Float64Array.from({ length }, (_, i) => (i === length - 1 ? 1 : 0)),
      capture_time: Float64Array.from({ length }, (_, i) => 1.7e9 + seed + i * 0.0501),
    },
  };
}
