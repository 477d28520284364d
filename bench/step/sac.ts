import { Random } from '../../src/base/random.js';
import { type SacConfig, SacLearner, sacConfig } from '../../src/learn/sac/index.js';
import { sacGraph } from '../../src/learn/sac/sac.js';
import { reachable } from '../../src/tensor/graph.js';
import { type EngineName, Graph } from '../../src/tensor/index.js';
import { Repeats } from '../measure/repeats.js';
import type { Contender } from '../measure/rounds.js';
import type { PyTorch, Style } from './pytorch.js';

/** A training step: a preset of SAC at a width of both hidden layers and a batch size. */
export interface SacCase {
  readonly preset: 'sac' | 'droq' | 'crossq';
  readonly hidden: number;
  readonly batch: number;
}

export const sacCases: readonly SacCase[] = [256, 512, 1024].flatMap((hidden) =>
  [256, 1024].flatMap((batch) =>
    (['sac', 'droq', 'crossq'] as const).map((preset) => ({ preset, hidden, batch })),
  ),
);

export const nameOf = ({ preset, hidden, batch }: SacCase): string => `${preset}-${hidden}-b${batch}`;

/** The walking quadruped's. */
export const observations = 46;
export const actions = 12;
/** How long our waiting threads spin before they sleep: PyTorch's spin too. */
const SPIN_US = 1000;

export const configOf = ({ preset, hidden, batch }: SacCase): SacConfig =>
  sacConfig(preset, { batch, critic_hidden: [hidden, hidden], actor_hidden: [hidden, hidden] });

/**
 * Updates a second, from how long a step of the critics alone and one with the actor take, in the preset's
 * proportion: all contenders are given the same one.
 */
function updates_per_s({ actor_every }: SacConfig, both_s: number, critic_s: number): number {
  return actor_every / (both_s + (actor_every - 1) * critic_s);
}

/** Our learner on an engine. */
export async function sacContender(c: SacCase, engine: EngineName, threads: number): Promise<Contender> {
  const config = configOf(c);
  const learner = await SacLearner.create({
    observations,
    actions,
    config,
    seed: 1,
    engine,
    threads,
    spin_us: SPIN_US,
  });
  const random = new Random(2);
  const draw = (count: number) => {
    const values = new Float32Array(count);
    random.fillNormal(values);
    return values;
  };
  const batch = {
    observation: draw(c.batch * observations),
    action: draw(c.batch * actions).map(Math.tanh),
    reward: draw(c.batch),
    discount: new Float32Array(c.batch).fill(0.99),
    nextObservation: draw(c.batch * observations),
  };
  const repeats = new Repeats();
  const time_s = async (withActor: boolean) => {
    const start = performance.now();
    for (let i = 0; i < repeats.times; i++) await learner.step(batch, withActor);
    return (performance.now() - start) / 1000 / repeats.times;
  };
  return {
    engine,
    threads,
    async run() {
      const both_s = await time_s(true);
      const critic_s = config.actor_every > 1 ? await time_s(false) : 0;
      repeats.took(both_s + critic_s);
      return updates_per_s(config, both_s, critic_s);
    },
    dispose: () => learner.dispose(),
  };
}

/** The same in PyTorch. */
export function sacComparator(torch: PyTorch, c: SacCase, style: Style, threads: number): Contender {
  const config = configOf(c);
  const repeats = new Repeats();
  return {
    engine: `pytorch-${style}`,
    threads,
    async run() {
      const { times } = repeats;
      const critic = config.actor_every > 1 ? times : 0;
      const request = { work: 'sac', style, threads, observations, actions, ...c, both: times, critic };
      const answer = await torch.ask(request);
      const [both_s, critic_s] = [answer.both_s / times, answer.critic_s / times];
      repeats.took(both_s + critic_s);
      return updates_per_s(config, both_s, critic_s);
    },
  };
}

/** Additions and multiplications in the matrix products of one update, as the graph states it. */
export function flopsOfUpdate(c: SacCase): number {
  const config = configOf(c);
  const g = new Graph();
  sacGraph(g, observations, actions, config);
  const flops = (id: string) => {
    const { updates, outputs } = g.steps.get(id)!;
    let total = 0;
    for (const { op, inputs, size } of reachable([...updates.values(), ...Object.values(outputs)])) {
      if (op.name === 'matmul') total += 2 * size * (inputs[0].shape.at(op.transposeA ? -2 : -1) ?? 1);
    }
    return total;
  };
  return (flops('both') + (config.actor_every - 1) * flops('critic')) / config.actor_every;
}
