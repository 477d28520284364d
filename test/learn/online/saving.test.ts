import { expect, it } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { OnlineLearner } from '../../../src/learn/online/onlineLearner.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { SacLearner, SacTraining, sacConfig } from '../../../src/learn/sac/index.js';

it('a learner that is told to save does so at once, between two updates', async () => {
  const config = sacConfig('sac', { batch: 8, actor_hidden: [8], critic_hidden: [8] });
  const learner = await SacLearner.create({ observations: 2, actions: 1, config, seed: 1 });
  const replay = new Replay({ observation: 2, action: 1, capacity: 100, discount: 0.9 });
  let saves = 0;
  const online = new OnlineLearner({
    learner: new SacTraining({ learner, replay, random: new Random(1) }),
    updatesPerStep: 1,
    warmup: 1,
    evaluateEvery: 10,
    inUse: undefined,
    publish: async () => true,
    save: () => saves++,
    onMetrics: () => {},
    onNotice: () => {},
  });
  const ended = online.run();
  await Promise.all([online.saveSoon(), online.saveSoon()]);
  expect(saves).toBe(1);
  await online.saveSoon();
  expect(saves).toBe(2);
  online.stop();
  await ended;
  await learner.dispose();
});
