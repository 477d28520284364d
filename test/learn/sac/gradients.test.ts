import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import type { SacConfig } from '../../../src/learn/sac/index.js';
import { sacGraph, sacMetrics } from '../../../src/learn/sac/sac.js';
import { reachable } from '../../../src/tensor/graph.js';
import { Graph } from '../../../src/tensor/index.js';
import { referenceValues } from '../../../src/tensor/referenceValues.js';
import { normals, randomBatch, sizes, tiny } from './support.js';

/**
 * A learner's graph in double precision. The moments start at zero, so that after one step a parameter's first
 * moment is its gradient. The critics' rate is next to nothing: the actor's loss, which is taken at the stepped
 * critics, must not move with them.
 */
function lossesAndGradients(config: SacConfig) {
  const g = new Graph();
  const { layout } = sacGraph(g, sizes.observations, sizes.actions, config);
  const random = new Random(3);
  const leaves: Record<string, Float64Array> = {};
  for (const [id, t] of g.states) leaves[id] = new Float64Array(t.size);
  for (const [id, t] of g.inputs) leaves[id] = Float64Array.from(normals(random, t.size));
  for (const [id, v] of Object.entries(randomBatch(random, config.batch))) leaves[id] = Float64Array.from(v);
  for (const id of g.inputs.keys()) {
    if (id.startsWith('dropout')) leaves[id] = leaves[id].map((x) => (x > 0 ? 1 / 0.7 : 0));
  }
  leaves.actor = Float64Array.from(layout.actor.initialise(random));
  leaves.critic = Float64Array.from(layout.critic.initialise(random));
  if (leaves.target) leaves.target = Float64Array.from(layout.critic.initialise(random));
  leaves.statistics?.fill(0.5);
  leaves.logAlpha.fill(Math.log(0.4));
  const { updates, outputs } = g.steps.get('both')!;
  const moment = (id: string) => updates.get(g.states.get(`${id}.adam.m`)!)!;
  // What gradients do not cross must not move with the differences either.
  const stops = reachable([outputs.metrics]).filter((t) => t.op.name === 'stopGradient');
  const stopped = referenceValues(stops, (_, id) => leaves[id]);
  const held = new Map(stops.map((t, i) => [t, stopped[i]]));
  const loss = () => {
    const [values] = referenceValues([outputs.metrics], (_, id) => leaves[id], held);
    return Object.fromEntries(sacMetrics.map((name, i) => [name, values[i]]));
  };
  return {
    leaves,
    loss,
    gradient: (id: string) => referenceValues([moment(id)], (_, leaf) => leaves[leaf])[0],
  };
}

const variants: Record<string, SacConfig> = {
  plain: tiny({ critic_lr: 1e-30 }),
  layernorm: tiny({ critic_lr: 1e-30 }, 'layernorm'),
  droq: tiny({ critic_lr: 1e-30 }, 'droq'),
  crossq: tiny({ critic_lr: 1e-30 }, 'crossq'),
  'silu, three layers': tiny({ critic_lr: 1e-30, activation: 'silu', critic_hidden: [4, 5, 4] }),
};

// Double precision in plain TypeScript is slow, and slower on a machine that others load.
describe.each(Object.entries(variants))('%s', { timeout: 300_000 }, (_, config) => {
  test.each([
    ['critic', 'critic_loss'],
    ['actor', 'actor_loss'],
  ])('the gradient of the %s loss is what central differences give', (id, metric) => {
    const { leaves, loss, gradient } = lossesAndGradients(config);
    const analytic = gradient(id);
    const at = leaves[id];
    for (let i = 0; i < at.length; i++) {
      const x = at[i];
      at[i] = x + 1e-6;
      const above = loss()[metric];
      at[i] = x - 1e-6;
      const below = loss()[metric];
      at[i] = x;
      expect(Math.abs(analytic[i] - (above - below) / 2e-6), `${id}[${i}]`).toBeLessThan(
        1e-6 * (1 + Math.abs(analytic[i])),
      );
    }
    expect(analytic.some((x) => Math.abs(x) > 1e-3)).toBe(true);
  });

  test('the temperature rises where the entropy is below its target', () => {
    const { leaves, loss, gradient } = lossesAndGradients(config);
    const { entropy, temperature } = loss();
    const target = config.target_entropy_per_action * sizes.actions;
    expect(temperature).toBeCloseTo(Math.exp(leaves.logAlpha[0]), 12);
    expect(gradient('logAlpha')[0]).toBeCloseTo(temperature * (entropy - target), 10);
  });
});
