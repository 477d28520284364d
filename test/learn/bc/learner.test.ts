import { expect, it } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { BcLearner } from '../../../src/learn/bc/learner.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { actorLayout, sacConfig } from '../../../src/learn/sac/index.js';
import { GaussianPolicy } from '../../../src/policy/gaussian.js';

it('a cloned policy does what it was shown', async () => {
  const random = new Random(3);
  const shown = (o: readonly number[]) => [0.8 * Math.sin(o[0]), -0.5 * o[1]];
  const replay = new Replay({ observation: 2, action: 2, capacity: 512, discount: 0.9 });
  for (let i = 0; i < 512; i++) {
    const observation = [random.uniform(-1, 1), random.uniform(-1, 1)];
    const action = shown(observation);
    const transition = { stream: 0, observation, action, reward: 0, nextObservation: observation };
    replay.add({ ...transition, terminal: false, truncated: false });
  }
  const config = sacConfig('sac', { actor_hidden: [32], batch: 64, actor_lr: 3e-3 });
  const sizes = { observations: 2, actions: 2, config };
  const learner = await BcLearner.create({ ...sizes, seed: 1 }, replay);
  for (let u = 0; u < 800; u++) await learner.step();
  const policy = new GaussianPolicy(actorLayout(sizes));
  policy.setParameters(learner.actorParameters());
  await learner.dispose();
  const action = new Float32Array(2);
  for (const o of [
    [0.5, 0.5],
    [-0.7, 0.2],
    [0.1, -0.9],
  ]) {
    policy.act(Float32Array.from(o), action);
    expect(action[0]).toBeCloseTo(shown(o)[0], 1);
    expect(action[1]).toBeCloseTo(shown(o)[1], 1);
  }
});
