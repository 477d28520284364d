import { Random } from '../../src/base/random.js';
import { dreamerGraph } from '../../src/learn/dreamer/dreamer.js';
import { DreamerLearner, dreamerConfig, type dreamerSizes } from '../../src/learn/dreamer/index.js';
import { type EngineName, Graph } from '../../src/tensor/index.js';
import { productFlops } from '../../src/tensor/native/layout.js';
import { Repeats } from '../measure/repeats.js';
import type { Contender } from '../measure/rounds.js';
import type { PyTorch } from './pytorch.js';

/** Sizes of Dreamer whose training step is measured. */
export const dreamerPresets = ['micro', '1M'] as const satisfies readonly (keyof typeof dreamerSizes)[];
export type DreamerPreset = (typeof dreamerPresets)[number];

export const dreamerName = (preset: DreamerPreset): string => {
  const { batch, length } = dreamerConfig(preset);
  return `dreamer-${preset}-b${batch}x${length}`;
};

/** The walking quadruped's. */
const world = { observations: 46, actions: 12 };

/** Our learner on an engine. */
export async function dreamerContender(
  preset: DreamerPreset,
  engine: EngineName,
  threads: number,
): Promise<Contender> {
  const config = dreamerConfig(preset);
  const learner = await DreamerLearner.create({ world, config, seed: 1, engine, threads });
  const { batch: B, length: T, deter } = config;
  const random = new Random(2);
  const draw = (size: number) => {
    const values = new Float32Array(T * B * size);
    random.fillNormal(values);
    return values;
  };
  const batch = {
    observation: draw(world.observations),
    action: draw(world.actions).map(Math.tanh),
    reward: draw(1),
    first: new Float32Array(T * B).fill(1, 0, B),
    terminal: new Float32Array(T * B),
    h: new Float32Array(B * deter),
    z: new Float32Array(B * learner.networks.model.latent.size),
  };
  const repeats = new Repeats();
  return {
    engine,
    threads,
    async run() {
      const start = performance.now();
      for (let i = 0; i < repeats.times; i++) await learner.step(batch);
      const each_s = (performance.now() - start) / 1000 / repeats.times;
      repeats.took(each_s);
      return 1 / each_s;
    },
    dispose: () => learner.dispose(),
  };
}

/** The same in PyTorch. */
export function dreamerComparator(torch: PyTorch, preset: DreamerPreset, threads: number): Contender {
  const config = dreamerConfig(preset);
  const repeats = new Repeats();
  return {
    engine: 'pytorch-lean',
    threads,
    async run() {
      const { times } = repeats;
      const { seconds } = await torch.ask({ work: 'dreamer', threads, ...world, config, times });
      repeats.took(seconds / times);
      return times / seconds;
    },
  };
}

/** Additions and multiplications in the matrix products of one update, as the graph states it. */
export function flopsOfDream(preset: DreamerPreset): number {
  const g = new Graph();
  dreamerGraph(g, world, dreamerConfig(preset));
  return productFlops(g.steps.get('update')!);
}
