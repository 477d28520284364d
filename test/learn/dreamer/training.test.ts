import { expect, test, vi } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import {
  DreamerLearner,
  DreamerTraining,
  dreamOf,
  dreamPicture,
  errorByHorizon,
  type OpenLoop,
} from '../../../src/learn/dreamer/index.js';
import { channels, config, recorded, STEP_S, world } from './support.js';

const create = () => DreamerLearner.create({ world, config, seed: 1 });

test('from a replay it learns to predict what it no longer sees, better the nearer', async () => {
  const shown: OpenLoop[] = [];
  const learner = await create();
  const training = new DreamerTraining({
    learner,
    replay: recorded(200),
    seed: 1,
    onOpenLoop: (openLoop) => shown.push(openLoop),
  });
  await training.update();
  const before = await training.study();
  for (let i = 0; i < 500; i++) await training.update();
  const after = await training.study();
  expect(Object.keys(after)).toEqual(['open_loop_error_1', 'open_loop_error_2']);
  expect(after.open_loop_error_1).toBeLessThan(0.6 * before.open_loop_error_1);
  expect(after.open_loop_error_1).toBeLessThan(0.7);
  const dream = dreamOf(shown[1], channels, STEP_S);
  expect(dream.traces.map(({ label }) => label)).toEqual(['x (m)', 'back (m)', 'reward']);
  for (const { observed, predicted } of dream.traces)
    expect(predicted).toHaveLength(observed.length - dream.seen);
  expect(dream.error[0]).toBeCloseTo(after.open_loop_error_1, 3);
  const picture = dreamPicture(dream);
  expect(picture).toMatch(/^<svg.*x \(m\).*class="dreamt".*reward.*Horizon \(s\)/s);
  expect(picture).not.toContain('NaN');
  await learner.dispose();
});

test('once loaded, it knows the states that lead into what it learns from', async () => {
  const learner = await create();
  const step = vi.spyOn(learner, 'step');
  const training = () => new DreamerTraining({ learner, replay: recorded(60), seed: 5 });
  /** Sequences of the first update that begin as an episode does. */
  const begun = async (of: DreamerTraining) => {
    await of.update();
    const [{ first, h }] = step.mock.lastCall!;
    const rows = Array.from({ length: config.batch }, (_, row) => row);
    for (const row of rows)
      if (first[row] === 0)
        expect(h.subarray(row * config.deter, (row + 1) * config.deter).some((x) => x !== 0)).toBe(true);
    return rows.filter((row) => first[row] === 1).length;
  };
  const blank = training();
  expect(await begun(blank)).toBe(config.batch);
  const loaded = training();
  loaded.load(blank.save());
  expect(await begun(loaded)).toBeLessThan(config.batch / 2);
  await learner.dispose();
});

test('looking at the model changes nothing that is learned, and a checkpoint goes on', async () => {
  const [one, two] = [await create(), await create()];
  const replay = recorded(60);
  const [looking, blind] = [one, two].map((learner) => new DreamerTraining({ learner, replay, seed: 5 }));
  for (let i = 0; i < 3; i++) {
    await looking.update();
    await looking.study();
    await blind.update();
  }
  expect(looking.policyParameters()).toEqual(blind.policyParameters());
  const saved = looking.save();
  await blind.update();
  blind.load(saved);
  expect(blind.updates).toBe(3);
  expect(blind.metrics()).toEqual(looking.metrics());
  expect(blind.policyParameters()).toEqual(looking.policyParameters());
  await one.dispose();
  await two.dispose();
});

test('what does not fit is refused in one line: too little recorded, another size, no picture', async () => {
  const learner = await create();
  const short = new DreamerTraining({ learner, replay: recorded(5), seed: 1 });
  expect(short.ready).toBe(false);
  await expect(short.update()).rejects.toThrow(UserError);
  await expect(short.update()).rejects.toThrow('no sequence of 8 steps: its longest has 6');
  const other = new DreamerTraining({ learner, replay: recorded(60, 3), seed: 1 });
  await expect(other.update()).rejects.toThrow(UserError);
  await expect(other.update()).rejects.toThrow('144 values of "observation", expected 96: [8, 6, 2]');
  const batch = {
    ...{ observation: new Float32Array(96), action: new Float32Array(48), reward: new Float32Array(48) },
    ...{ first: new Float32Array(48), terminal: new Float32Array(48) },
    ...{ h: new Float32Array(96), z: new Float32Array(96) },
  };
  expect(learner.updates).toBe(0);
  await learner.dispose();

  const image = { height: 8, width: 8, channels: 1 };
  const small = { ...config, horizon: 1, length: 8, patches: 2 };
  const seeing = await DreamerLearner.create({
    ...{ world: { ...world, image }, config: small, seed: 1, engine: 'wasm' },
  });
  await expect(seeing.step(batch)).rejects.toThrow(UserError);
  await expect(seeing.step(batch)).rejects.toThrow(
    'the batch has 96 values of "observation", expected 3168: [8, 6, 66], time first; the last 64 of each are a picture of 8×8×1',
  );
  await seeing.dispose();
});

test('the error by horizon is 1 for who guesses the mean, 0 for who knows, and stops with the episode', () => {
  const length = 4;
  const batch = 2;
  const observation = Float32Array.of(1, -1, -1, 1, 1, -1, -1, 1);
  const first = Float32Array.of(1, 1, 0, 0, 0, 1, 0, 0);
  const openLoop = (predicted: number[]) => ({
    ...{ length, batch, observation, reward: new Float32Array(8), first },
    ...{ predicted: Float32Array.from(predicted), predictedReward: new Float32Array(4) },
  });
  expect(errorByHorizon(openLoop([0, 99, 0, 99]))).toEqual([1, 1]);
  expect(errorByHorizon(openLoop([1, 99, -1, 99]))).toEqual([0, 0]);
});

test('of a symmetric robot every other sequence is seen in the mirror, and goes on from what was thought there', async () => {
  const learner = await create();
  const step = vi.spyOn(learner, 'step');
  // The point of `recorded`, seen from behind: what is pushed to the right goes to the left.
  const mirror = { observation: { from: [0, 1], sign: [-1, -1] }, action: { from: [0], sign: [-1] } };
  const replay = recorded(60);
  const training = new DreamerTraining({ learner, replay, seed: 5, mirror });
  const plain = new Set<number>();
  const seen = new Float32Array(2);
  for (let slot = 0; slot < replay.size; slot++)
    for (const part of ['observation', 'nextObservation'] as const) {
      replay.copyPart(part, slot, seen, 0);
      plain.add(seen[0]);
    }
  let mirrored = 0;
  let led = 0;
  for (let i = 0; i < 20; i++) {
    await training.update();
    const [{ observation, action, first }] = step.mock.lastCall!;
    for (let row = 0; row < config.batch; row++) {
      const x = (t: number) => observation[2 * (t * config.batch + row)];
      // Pushes are recorded with what they led to.
      for (let t = 1; t < config.length; t++)
        if (first[t * config.batch + row] === 0)
          expect(x(t) - x(t - 1)).toBeCloseTo(0.3 * action[t * config.batch + row], 5);
      if (plain.has(x(0))) continue;
      expect(plain.has(-x(0))).toBe(true);
      mirrored++;
      if (first[row] === 0) led++;
    }
  }
  expect(mirrored / (20 * config.batch)).toBeGreaterThan(0.35);
  expect(mirrored / (20 * config.batch)).toBeLessThan(0.65);
  expect(led).toBeGreaterThan(0);
  await learner.dispose();
});

test('of a robot with a camera, errors tell vector and picture apart, and both are drawn', () => {
  const [length, batch, image] = [4, 1, { height: 8, width: 8, channels: 1 }];
  // One number that goes up and down, and a picture that is dark, then bright.
  const seen = (t: number) => [t % 2, ...new Array<number>(64).fill(t % 2)];
  const openLoop: OpenLoop = {
    ...{ length, batch, image, reward: new Float32Array(4), predictedReward: new Float32Array(2) },
    first: Float32Array.of(1, 0, 0, 0),
    observation: Float32Array.from([0, 1, 2, 3].flatMap(seen)),
    // The vector as it came, of the picture its mean.
    predicted: Float32Array.from([2, 3].flatMap((t) => [t % 2, ...new Array<number>(64).fill(0.5)])),
  };
  expect(errorByHorizon(openLoop)).toEqual([0, 0]);
  expect(errorByHorizon(openLoop, 'image')).toEqual([1, 1]);
  const dream = dreamOf(openLoop, [channels[0]], STEP_S);
  expect(dream.traces.map(({ label }) => label)).toEqual(['x (m)', 'reward']);
  expect(dream.traces[0]).toMatchObject({ observed: [0, 1, 0, 1], predicted: [0, 1] });
  const { shown, ...size } = dream.pictures!;
  expect(size).toEqual({ width: 8, height: 8 });
  expect(shown.map(({ horizon }) => horizon)).toEqual([1, 2]);
  expect(shown.map(({ observed }) => new Set(observed))).toEqual([new Set([0]), new Set([1])]);
  expect(new Set(shown[0].predicted)).toEqual(new Set([0.5]));
  expect(dreamPicture(dream).match(/<image [^>]*href="data:image\/bmp;base64,[^"]+"/g)).toHaveLength(4);
});
