import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { dreamerGraph } from '../../../src/learn/dreamer/dreamer.js';
import type { WorldContract } from '../../../src/learn/dreamer/networks.js';
import { type DreamerConfig, dreamerConfig } from '../../../src/learn/dreamer/presets.js';
import { reachable } from '../../../src/tensor/graph.js';
import { Graph } from '../../../src/tensor/index.js';
import { referenceValues } from '../../../src/tensor/referenceValues.js';
import { normals } from '../sac/support.js';

const world: WorldContract = { observations: 3, actions: 2 };

const tiny = (overrides: Record<string, unknown> = {}, version = ''): DreamerConfig =>
  dreamerConfig(`micro${version}`, {
    ...{ batch: 2, length: 4, horizon: 3, imagine_every: 1, deter: 8, hidden: 4, blocks: 2 },
    ...{ stoch: 2, classes: 3, units: 5, layers: 1, bins: 7, patches: 2, free_nats: 0.01 },
    ...overrides,
  });

/** The whole loss in double precision, what gradients do not cross held still, and its gradient. */
function lossAndGradient(config: DreamerConfig, contract = world) {
  const g = new Graph();
  const { networks, loss, gradient } = dreamerGraph(g, contract, config);
  const random = new Random(3);
  const leaves: Record<string, Float64Array> = {};
  for (const [id, t] of g.states) leaves[id] = new Float64Array(t.size);
  for (const [id, t] of g.inputs) leaves[id] = Float64Array.from(normals(random, t.size));
  const uniform = (id: string) => {
    leaves[id] = leaves[id].map(() => random.uniform());
  };
  if (config.latent === 'categorical') for (const id of ['latentNoise', 'dreamLatentNoise']) uniform(id);
  if (contract.discrete) uniform('dreamActionNoise');
  leaves.first = leaves.first.map((_, i) => (i === 2 ? 1 : 0));
  leaves.terminal = leaves.terminal.map((_, i) => (i === 0 ? 1 : 0));
  // Shaken heads predict anything up to the outermost bins, 5 · 10⁸; at their scale nothing else would be seen.
  leaves.scale.fill(1e8);
  // Heads that start at zero have no gradient behind them.
  const shaken = (layout: typeof networks.layout) =>
    Float64Array.from(layout.initialise(random), (x) => x + 0.2 * random.normal());
  leaves.theta = shaken(networks.layout);
  leaves.slow = shaken(networks.slowLayout);
  const stops = reachable([loss]).filter((t) => t.op.name === 'stopGradient');
  const stopped = referenceValues(stops, (_, id) => leaves[id]);
  const held = new Map(stops.map((t, i) => [t, stopped[i]]));
  return {
    leaves,
    networks,
    loss: () => referenceValues([loss], (_, id) => leaves[id], held)[0][0],
    gradient: referenceValues([gradient], (_, id) => leaves[id])[0],
  };
}

const variants: Record<string, [DreamerConfig, WorldContract?]> = {
  v3: [tiny()],
  'v3, a dream from every second step': [tiny({ imagine_every: 2 })],
  'v3, discrete actions': [tiny(), { ...world, discrete: true }],
  'v3 that imitates': [tiny({ bc_weight: 1 })],
  'v3 with a camera': [tiny(), { ...world, image: { height: 8, width: 8, channels: 1 } }],
  v2: [tiny({}, '-v2')],
  v1: [tiny({}, '-v1')],
};

describe.each(Object.entries(variants))('%s', { timeout: 300_000 }, (name, [config, contract]) => {
  // Plain TypeScript in double precision is slow: tensor by tensor for one of them, all at once for the others.
  const eachTensor = name === 'v3';

  test('the gradient of the whole loss is what central differences give', () => {
    const { leaves, networks, loss, gradient } = lossAndGradient(config, contract);
    const at = leaves.theta;
    const origin = at.slice();
    const random = new Random(5);
    /** The slope along a random direction within some of the parameters, by differences and by the gradient. */
    const slopes = (from: number, to: number): [difference: number, analytic: number] => {
      const direction = Float64Array.from({ length: to - from }, () => random.normal());
      const lossAt = (step: number) => {
        for (const [i, d] of direction.entries()) at[from + i] = origin[from + i] + step * d;
        return loss();
      };
      const difference = (lossAt(1e-6) - lossAt(-1e-6)) / 2e-6;
      lossAt(0);
      return [difference, direction.reduce((total, d, i) => total + d * gradient[from + i], 0)];
    };
    const parts = eachTensor ? networks.layout.entries : [{ name: 'all', offset: 0, size: at.length }];
    for (const { name, offset, size } of parts) {
      const [difference, analytic] = slopes(offset, offset + size);
      expect(
        Math.abs(analytic - difference),
        `${name}: ${analytic}, by differences ${difference}`,
      ).toBeLessThan(1e-5 * (1 + Math.abs(analytic)));
    }
    for (const { name, offset, size } of networks.layout.entries) {
      const some = gradient.subarray(offset, offset + size).some((x) => x !== 0);
      expect(some, `nothing reaches ${name}`).toBe(true);
    }
  });
});
