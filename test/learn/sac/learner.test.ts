import ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Random } from '../../../src/base/random.js';
import { actorLayout, sacConfig, sacPresets } from '../../../src/learn/sac/index.js';
import { Mlp } from '../../../src/policy/mlp.js';
import { enginesHere } from '../../tensor/engines.js';
import { expectClose } from '../../tensor/support.js';
import { learner, normals, randomBatch, sizes, tiny } from './support.js';

const presets = Object.keys(sacPresets);
const everywhere = enginesHere.flatMap((engine) => presets.map((preset) => ({ preset, engine })));

describe.each(everywhere)('preset $preset on $engine', ({ preset, engine }) => {
  const config = tiny(preset === 'droq' ? { dropout: 0.1 } : {}, preset);

  test('gives the same bits from the same seed, and others from another', async () => {
    const run = async (seed: number) => {
      const l = await learner(config, seed, sizes, engine);
      const random = new Random(9);
      for (let i = 0; i < 6; i++) await l.step(randomBatch(random, config.batch), i % 2 === 1);
      return l.save();
    };
    expect(await run(1)).toEqual(await run(1));
    expect((await run(1)).tensors.critic).not.toEqual((await run(2)).tensors.critic);
  });

  test('goes on from a checkpoint bit for bit', async () => {
    const batches = new Random(9);
    const first = await learner(config, 1, sizes, engine);
    for (let i = 0; i < 5; i++) await first.step(randomBatch(batches, config.batch), i % 2 === 0);
    const saved = first.save();
    const resumed = await learner(config, 77, sizes, engine);
    resumed.load(saved);
    expect(resumed.updates).toBe(5);
    expect(resumed.metrics()).toEqual(first.metrics());
    for (let i = 0; i < 5; i++) {
      const batch = randomBatch(batches, config.batch);
      await first.step(batch, i % 2 === 0);
      await resumed.step(batch, i % 2 === 0);
    }
    expect(resumed.save()).toEqual(first.save());
    expect(resumed.metrics()).toEqual(first.metrics());
    expect(resumed.save().tensors.critic).not.toEqual(saved.tensors.critic);
  });
});

test.each(everywhere)(
  '$preset on $engine takes the steps of the reference engine',
  async ({ preset, engine }) => {
    const config = tiny({ batch: 8, critic_hidden: [16, 16], actor_hidden: [16, 16] }, preset);
    const [fast, slow] = [
      await learner(config, 1, sizes, engine),
      await learner(config, 1, sizes, 'reference'),
    ];
    const start = fast.save().tensors;
    const random = new Random(3);
    for (let i = 0; i < 10; i++) {
      const batch = randomBatch(random, config.batch);
      for (const l of [fast, slow]) await l.step(batch, i % 2 === 0);
    }
    const [a, b] = [fast.save().tensors, slow.save().tensors];
    for (const id of Object.keys(b)) expectClose(a[id], b[id], 5e-5, id);
    // The steps were large against that tolerance.
    const moved = b.critic.map((x, i) => Math.abs(x - start.critic[i]));
    expect(Math.max(...moved)).toBeGreaterThan(2e-3);
    await fast.dispose();
  },
);

test('a step without the actor leaves it and the temperature alone', async () => {
  const l = await learner(tiny());
  const before = l.save().tensors;
  await l.step(randomBatch(new Random(1), 5), false);
  const after = l.save().tensors;
  for (const id of ['actor', 'actor.adam.m', 'logAlpha', 'logAlpha.adam.t'])
    expect(after[id]).toEqual(before[id]);
  for (const id of ['critic', 'target', 'critic.adam.v']) expect(after[id]).not.toEqual(before[id]);
  expect(l.metrics().actor_loss).toBeNaN();
  await l.step(randomBatch(new Random(1), 5));
  expect(l.save().tensors.actor).not.toEqual(before.actor);
  expect(Object.values(l.metrics()).every(Number.isFinite)).toBe(true);
});

test('a terminal transition is worth its reward; a time-out is worth what follows it too', async () => {
  const targetMean = async (discount: number) => {
    const l = await learner(tiny());
    const batch = randomBatch(new Random(4), 5);
    await l.step({
      ...batch,
      reward: new Float32Array(5).fill(3),
      discount: new Float32Array(5).fill(discount),
    });
    return l.metrics().target_mean;
  };
  expect(await targetMean(0)).toBe(3);
  const atTimeout = await targetMean(0.99);
  const halfAsFar = await targetMean(0.495);
  expect(Math.abs(atTimeout - 3)).toBeGreaterThan(0.01);
  expect((atTimeout - 3) / (halfAsFar - 3)).toBeCloseTo(2, 4);
});

test('a value that is not finite ends the training with one clear error', async () => {
  const l = await learner(tiny());
  const batch = randomBatch(new Random(4), 5);
  await l.step(batch);
  batch.reward[3] = Number.NaN;
  await expect(l.step(batch)).rejects.toThrow('SAC diverged at update 2 (critic_loss NaN');
});

test('a checkpoint of another size is refused, naming the tensor and both shapes, and nothing is loaded', async () => {
  const other = await learner(tiny(), 1, { observations: 4, actions: 2 });
  const l = await learner(tiny());
  const before = l.save();
  expect(() => l.load(other.save())).toThrow(UserError);
  expect(() => l.load(other.save())).toThrow(/"actor" has shape \[\d+\], the learner's \[\d+\]/);
  const { actor, ...rest } = before.tensors;
  expect(actor.length).toBeGreaterThan(0);
  expect(() => l.load({ ...before, tensors: rest })).toThrow('no tensor "actor"');
  expect(l.save()).toEqual(before);
});

test('the exported actor and a plain network with the handed-over weights act alike', async () => {
  const config = tiny({ log_std: [-0.2, 0.1] });
  const l = await learner(config);
  for (let i = 0; i < 5; i++) await l.step(randomBatch(new Random(i), config.batch));
  const layout = actorLayout({ ...sizes, config });
  const { observations: O, actions: A } = layout;
  const network = new Mlp(O, [
    ...layout.hidden.map((outputs) => ({ outputs, activation: layout.activation })),
    { outputs: 2 * A },
  ]);
  network.setParameters(l.actorParameters());
  const session = await ort.InferenceSession.create(l.exportActor({ task: 'walk' }));
  const observation = normals(new Random(8), 4 * O);
  const out = await session.run({ observation: new ort.Tensor('float32', observation, [4, O]) });
  for (let b = 0; b < 4; b++) {
    const head = network.forward(observation.subarray(b * O, (b + 1) * O));
    for (let i = 0; i < A; i++) {
      const at = (id: string) => (out[id].data as Float32Array)[b * A + i];
      expect(at('mean')).toBeCloseTo(head[i], 5);
      expect(at('log_std')).toBeCloseTo(Math.min(Math.max(head[A + i], -0.2), 0.1), 5);
      expect(at('action')).toBeCloseTo(Math.tanh(head[i]), 5);
    }
  }
});

test('bad configurations are refused in the words of the user', () => {
  expect(() => sacConfig('sca')).toThrow(/no SAC preset "sca"; there are sac, layernorm, droq, crossq/);
  expect(() => sacConfig('sac', { critic_lrr: 1 }, 'launch/x.yaml')).toThrow(
    /launch\/x\.yaml[\s\S]*critic_lrr/,
  );
  expect(() => sacConfig('sac', { batch: 0 })).toThrow(UserError);
  expect(sacConfig('droq', { dropout: 0.2 })).toMatchObject({ dropout: 0.2, critic_updates: 20, batch: 256 });
});

test('actor_average: the policy that acts follows the actor that learns', async () => {
  const rate = 0.25;
  const l = await learner(tiny({ actor_average: rate }));
  const average = l.actorParameters();
  expect(average).toEqual(l.save().tensors.actor);
  const random = new Random(9);
  for (let i = 0; i < 4; i++) {
    await l.step(randomBatch(random, 5));
    const { actor } = l.save().tensors;
    for (const [k, w] of actor.entries()) average[k] += rate * (w - average[k]);
    expectClose(l.actorParameters(), average, 1e-5);
  }
  expect(l.actorParameters()).not.toEqual(l.save().tensors.actor);
});
