import { expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Random } from '../../../src/base/random.js';
import {
  type DreamerBatch,
  DreamerLearner,
  dreamerConfig,
  exportPolicy,
  policyNames,
  type WorldContract,
} from '../../../src/learn/dreamer/index.js';
import { loadPolicy } from '../../../src/policy/inference.js';
import type { Policy } from '../../../src/policy/policy.js';

const world: WorldContract = { observations: 2, actions: 1 };
const config = dreamerConfig('micro', {
  ...{ batch: 6, length: 4, horizon: 3, imagine_every: 1, deter: 16, hidden: 8, blocks: 2 },
  ...{ stoch: 4, classes: 4, units: 12, layers: 1, bins: 31, learning_rate: 3e-3, warmup: 0 },
});

const create = (seed = 1, of = config) => DreamerLearner.create({ world, config: of, seed });

/**
 * Sequences of a point that actions push to and fro, x ← x + 0.3 a, seen as (x, −x), rewarded with x. Where an
 * episode starts, nothing tells what happened before.
 */
function sequences(random: Random): DreamerBatch {
  const { batch: B, length: T, deter } = config;
  const of = (size: number) => new Float32Array(T * B * size);
  const b = { observation: of(2), action: of(1), reward: of(1), first: of(1), terminal: of(1) };
  for (let s = 0; s < B; s++) {
    let x = random.uniform() * 2 - 1;
    for (let t = 0; t < T; t++) {
      const at = t * B + s;
      b.first[at] = t === 0 ? 1 : 0;
      b.action[at] = t === 0 ? 0 : random.uniform() * 2 - 1;
      x += 0.3 * b.action[at];
      b.observation.set([x, -x], 2 * at);
      b.reward[at] = x;
    }
  }
  return { ...b, h: new Float32Array(B * deter), z: new Float32Array(B * 16) };
}

function policyOf(learner: DreamerLearner): Policy {
  const { networks, options } = learner;
  return loadPolicy({
    manifest: {
      observation: [{ name: 'x', size: world.observations, unit: '1' }],
      action: { kind: 'residual', centre_rad: [0], scale_rad: [1] },
      network: { file: 'policy.onnx', ...policyNames(world, options.config) },
    },
    onnx: exportPolicy(networks, learner.policyParameters(), {}),
    path: '.',
  });
}

test('the model learns what happens, and the actor what pays', async () => {
  const learner = await create();
  const random = new Random(2);
  await learner.step(sequences(random));
  const before = learner.metrics();
  for (let i = 0; i < 400; i++) await learner.step(sequences(random));
  const after = learner.metrics();
  expect(after.reconstruction_loss).toBeLessThan(0.3 * before.reconstruction_loss);
  expect(after.reward_loss).toBeLessThan(0.6 * before.reward_loss);
  // Dreamt returns rise as the actor finds out to push forward.
  expect(after.value_mean).toBeGreaterThan(before.value_mean + 0.2);
  await learner.dispose();
});

test('an actor that imitates does what was shown, though something else pays', async () => {
  const imitates = { ...config, bc_weight: 100 };
  const learner = await create(1, imitates);
  const random = new Random(2);
  for (let i = 0; i < 200; i++) {
    const batch = sequences(random);
    // Those that push back, which costs, were shown.
    await learner.step({ ...batch, demonstrated: batch.action.map((a) => (a < 0 ? 1 : 0)) });
  }
  const policy = policyOf(learner);
  const action = new Float32Array(1);
  policy.act(Float32Array.of(0.2, -0.2), action);
  // The mean of what pushes back.
  expect(action[0]).toBeGreaterThan(-0.7);
  expect(action[0]).toBeLessThan(-0.3);
  await expect(learner.step(sequences(random))).rejects.toThrow(/no values of "demonstrated"/);
  await learner.dispose();
});

test('a seed repeats every update, and a checkpoint goes on bit for bit', async () => {
  const run = async (learner: DreamerLearner, random: Random, updates: number) => {
    for (let i = 0; i < updates; i++) await learner.step(sequences(random));
  };
  const [one, two] = [await create(), await create()];
  const random = new Random(3);
  await run(one, random, 3);
  const saved = one.save();
  const drawn = random.state;
  await run(one, random, 3);
  await run(two, new Random(3), 6);
  expect(two.parameters()).toEqual(one.parameters());
  random.state = drawn;
  two.load(saved);
  await run(two, random, 3);
  expect(two.parameters()).toEqual(one.parameters());
  expect(two.metrics()).toEqual(one.metrics());
  await one.dispose();
  await two.dispose();
});

test('what acts may be an average of what learned', async () => {
  const averages = { ...config, policy_average: 0.5 };
  const [one, average] = [await create(), await create(1, averages)];
  const random = [new Random(3), new Random(3)];
  let expected = average.policyParameters();
  for (let i = 0; i < 3; i++) {
    await one.step(sequences(random[0]));
    await average.step(sequences(random[1]));
    const newest = one.policyParameters();
    expected = expected.map((x, k) => x + 0.5 * (newest[k] - x));
  }
  // It learns as it does without.
  expect(average.parameters()).toEqual(one.parameters());
  average.policyParameters().forEach((x, k) => {
    expect(x).toBeCloseTo(expected[k], 6);
  });
  const again = await create(1, averages);
  again.load(average.save());
  expect(again.policyParameters()).toEqual(average.policyParameters());
  for (const learner of [one, average, again]) await learner.dispose();
});

test('a checkpoint of another size is refused, and names the tensor', async () => {
  const small = await create(1, { ...config, units: 8 });
  const learner = await create();
  const before = learner.parameters();
  expect(() => learner.load(small.save())).toThrow(UserError);
  expect(() => learner.load(small.save())).toThrow(/"theta" has shape/);
  expect(learner.parameters()).toEqual(before);
  await small.dispose();
  await learner.dispose();
});

test('what does not fit together is refused with the value', () => {
  expect(() => dreamerConfig('micro', { deter: 100, blocks: 8 })).toThrow(
    /deter 100 is not divisible into 8/,
  );
  expect(() => dreamerConfig('micro', { bins: 64 })).toThrow(/bins is 64, expected an odd/);
  expect(() => dreamerConfig('small')).toThrow(/no Dreamer preset "small"; sizes are micro, 1M/);
  expect(() => dreamerConfig('micro', { horizont: 3 })).toThrow(/horizont/);
});
