import { expect, it } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { OnlineLearner } from '../../../src/learn/online/onlineLearner.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { SacLearner, SacTraining, sacConfig } from '../../../src/learn/sac/index.js';
import type { Experience } from '../../../src/robot/experience.js';

const contract = { observation: 2, action: 1 };

it.each([
  ['after an untrained one', false, 3],
  ['and nothing before, where robots begin by themselves', true, 4],
])('without a judge every candidate goes to the robots, untried, %s', async (_, robotsBegin, candidates) => {
  const config = sacConfig('sac', { batch: 8, actor_hidden: [8], critic_hidden: [8] });
  const learner = await SacLearner.create({ observations: 2, actions: 1, config, seed: 1 });
  const replay = new Replay({ ...contract, capacity: 100, discount: 0.9 });
  const lines: string[] = [];
  let published = 0;
  const online = new OnlineLearner({
    learner: new SacTraining({ learner, replay, random: new Random(1) }),
    updatesPerStep: 2,
    warmup: 1,
    robotsBegin,
    evaluateEvery: 10,
    inUse: undefined,
    publish: async (_, evaluation) => {
      expect(evaluation).toBeUndefined();
      if (++published === 4) online.stop();
      return true;
    },
    save: () => {},
    onMetrics: () => {},
    onNotice: (line) => lines.push(line),
  });
  const steps = Array.from(
    { length: 40 },
    (_, step): Experience => ({
      episode: 1,
      step,
      terminal: false,
      truncated: false,
      person: false,
      reward: step,
      observation: Float32Array.of(step, 0),
      action: Float32Array.of(0),
      nextObservation: Float32Array.of(step + 1, 0),
    }),
  );
  online.add(0, steps, false);
  await online.run();
  expect(online.save().counters).toMatchObject({ candidates });
  expect(lines[0]).toBe('candidate 1 published: untried');
  await learner.dispose();
});

it('what a person did while they had taken over enters both buffers', async () => {
  const config = sacConfig('sac', { batch: 8, actor_hidden: [8], critic_hidden: [8] });
  const learner = await SacLearner.create({ observations: 2, actions: 1, config, seed: 1 });
  const buffer = () => new Replay({ ...contract, capacity: 100, discount: 0.9, nSteps: 3 });
  const replay = buffer();
  const demonstrations = buffer();
  const online = new OnlineLearner({
    learner: new SacTraining({ learner, replay, demonstrations, random: new Random(1) }),
    demonstrations,
    updatesPerStep: 1,
    warmup: 1,
    evaluateEvery: 100,
    inUse: undefined,
    evaluate: () => Promise.reject(new Error('nobody is judged here')),
    publish: async () => true,
    save: () => {},
    onMetrics: () => {},
    onNotice: () => {},
  });
  const step = (n: number, person: boolean): Experience => ({
    episode: 1,
    step: n,
    terminal: false,
    truncated: false,
    person,
    reward: n,
    observation: Float32Array.of(n, 0),
    action: Float32Array.of(0),
    nextObservation: Float32Array.of(n + 1, 0),
  });
  online.add(
    0,
    [0, 1, 2, 3, 4, 5].map((n) => step(n, n === 2 || n === 3 || n === 5)),
    false,
  );
  expect([replay.size, demonstrations.size]).toEqual([6, 3]);
  await learner.dispose();
});
