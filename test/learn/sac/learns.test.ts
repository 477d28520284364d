import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { sacPresets } from '../../../src/learn/sac/index.js';
import { Mlp } from '../../../src/policy/mlp.js';
import { learner, tiny } from './support.js';

/** A busy machine takes its time. */
const PATIENCE_MS = 300_000;

/** One step: the reward for action a at observation o is −(a − ½ sin o)². */
const best = (o: number) => 0.5 * Math.sin(o);

test.each(Object.keys(sacPresets))(
  '%s learns the best action of a one-step task',
  async (preset) => {
    const hidden = [32, 32];
    const B = 64;
    const rates = { critic_lr: 2e-3, actor_lr: 2e-3, temperature_lr: 2e-3, target_entropy_per_action: -3 };
    const config = tiny({ batch: B, critic_hidden: hidden, actor_hidden: hidden, ...rates }, preset);
    const l = await learner(config, 1, { observations: 1, actions: 1 });
    const random = new Random(2);
    for (let i = 0; i < 1500; i++) {
      const observation = Float32Array.from({ length: B }, () => random.uniform(-3, 3));
      const action = Float32Array.from({ length: B }, () => random.uniform(-1, 1));
      const reward = observation.map((o, b) => -((action[b] - best(o)) ** 2));
      await l.step({
        observation,
        action,
        reward,
        discount: new Float32Array(B),
        nextObservation: observation,
      });
    }
    const actor = Mlp.of(1, hidden, 2);
    actor.setParameters(l.actorParameters());
    let squared = 0;
    for (let k = 0; k < 100; k++) {
      const o = -3 + (6 * k) / 99;
      squared += (Math.tanh(actor.forward(Float32Array.of(o))[0]) - best(o)) ** 2 / 100;
    }
    // An actor that always answers 0 has 0.35.
    expect(Math.sqrt(squared)).toBeLessThan(0.08);
  },
  PATIENCE_MS,
);

test(
  'bc_weight leads the actor to what was shown, and to nothing else, while the critics see no difference',
  async () => {
    const hidden = [32, 32];
    const B = 64;
    const config = tiny({
      batch: B,
      critic_hidden: hidden,
      actor_hidden: hidden,
      actor_lr: 2e-3,
      bc_weight: 30,
    });
    const l = await learner(config, 1, { observations: 1, actions: 1 });
    const random = new Random(2);
    // Half of each batch was shown; in the other half the robot did the opposite.
    const demonstrated = Float32Array.from({ length: B }, (_, b) => Number(b >= B / 2));
    for (let i = 0; i < 800; i++) {
      const observation = Float32Array.from({ length: B }, () => random.uniform(-3, 3));
      const action = observation.map((o, b) => (demonstrated[b] ? best(o) : -best(o)));
      await l.step({
        observation,
        action,
        reward: new Float32Array(B),
        discount: new Float32Array(B),
        nextObservation: observation,
        demonstrated,
      });
    }
    const actor = Mlp.of(1, hidden, 2);
    actor.setParameters(l.actorParameters());
    for (const o of [-2, -1, 1, 2])
      expect(Math.abs(Math.tanh(actor.forward(Float32Array.of(o))[0]) - best(o))).toBeLessThan(0.1);
  },
  PATIENCE_MS,
);
