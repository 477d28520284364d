import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import {
  DreamerLearner,
  DreamerTraining,
  dreamerConfig,
  exportPolicy,
  observedBy,
  policyNames,
  type WorldContract,
} from '../../../src/learn/dreamer/index.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { loadPolicy } from '../../../src/policy/inference.js';

const STEPS = 8;
const UPDATES = 300;
const world: WorldContract = { observations: 1, actions: 1, image: { height: 8, width: 8, channels: 1 } };
const config = dreamerConfig('micro', {
  ...{
    batch: 8,
    length: 8,
    horizon: 4,
    imagine_every: 2,
    deter: 32,
    hidden: 16,
    blocks: 2,
    stoch: 4,
    classes: 4,
  },
  ...{ units: 24, layers: 1, bins: 31, patches: 4, learning_rate: 3e-3, warmup: 0, discount_horizon: 4 },
});

/** A world in which a bright side of a noisy picture says which way is paid for, and the vector says nothing. */
class Sides {
  readonly observation = new Float32Array(observedBy(world));
  private side = 1;

  /** @param lit whether the picture shows anything */
  constructor(
    private readonly lit: boolean,
    private readonly random: Random,
  ) {}

  begin(): void {
    this.side = this.random.uniform() < 0.5 ? -1 : 1;
    this.look();
  }

  /** @returns the reward: at best 1 a step, at worst −1 */
  step(action: number): number {
    this.look();
    return this.side * Math.min(1, Math.max(-1, action));
  }

  private look(): void {
    for (let p = 0; p < 64; p++) {
      const bright = p % 8 < 4 === this.side > 0;
      this.observation[1 + p] = this.lit ? (bright ? 0.6 : 0.2) + this.random.uniform(-0.2, 0.2) : 0;
    }
  }
}

/** Episodes of actions at random. */
function lived(lit: boolean): Replay {
  const replay = new Replay({ observation: observedBy(world), action: 1, capacity: 1000, discount: 0.9 });
  const random = new Random(1);
  const sides = new Sides(lit, random);
  for (let t = 0; t < 800; t++) {
    if (t % STEPS === 0) sides.begin();
    const observation = sides.observation.slice();
    const action = random.uniform(-1, 1);
    const reward = sides.step(action);
    const truncated = t % STEPS === STEPS - 1;
    replay.add({
      ...{ stream: 0, observation, action: [action], reward, nextObservation: sides.observation },
      ...{ terminal: false, truncated },
    });
  }
  return replay;
}

/** Mean reward a step of the best actions, after learning from what was lived through. */
async function learned(lit: boolean): Promise<number> {
  const learner = await DreamerLearner.create({ world, config, seed: 1, engine: 'wasm' });
  const training = new DreamerTraining({ learner, replay: lived(lit), seed: 1 });
  for (let i = 0; i < UPDATES; i++) await training.update();
  const onnx = exportPolicy(learner.networks, learner.policyParameters(), {});
  await learner.dispose();
  const policy = loadPolicy({
    manifest: {
      observation: [{ name: 'all', size: observedBy(world), unit: '1' }],
      action: { kind: 'residual', centre_rad: [0], scale_rad: [1] },
      network: { file: 'policy.onnx', ...policyNames(world, config) },
    },
    onnx,
    path: '.',
  });
  const sides = new Sides(lit, new Random(2));
  const action = new Float32Array(1);
  const EPISODES = 50;
  let sum = 0;
  for (let episode = 0; episode < EPISODES; episode++) {
    sides.begin();
    policy.reset();
    for (let t = 0; t < STEPS; t++) {
      policy.act(sides.observation, action);
      sum += sides.step(action[0]);
    }
  }
  return sum / EPISODES / STEPS;
}

test('it goes the way that a picture shows, and by chance in the dark', async () => {
  expect(await learned(true)).toBeGreaterThan(0.7);
  expect(Math.abs(await learned(false))).toBeLessThan(0.4);
});
