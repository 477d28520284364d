import { Random } from '../../../src/base/random.js';
import {
  type Dream,
  DreamerLearner,
  DreamerTraining,
  dreamerConfig,
  dreamOf,
  type OpenLoop,
} from '../../../src/learn/dreamer/index.js';
import { Replay } from '../../../src/learn/replay/replay.js';

export const world = { observations: 2, actions: 1 };
/** Small: it learns within seconds. */
export const config = dreamerConfig('micro', {
  ...{ batch: 6, length: 8, horizon: 3, imagine_every: 4, deter: 16, hidden: 8, blocks: 2 },
  ...{ stoch: 4, classes: 4, units: 12, layers: 1, bins: 31, learning_rate: 3e-3, warmup: 0 },
});

/** Two streams of a point that actions push to and fro; an episode is cut by time after 20 steps. */
export function recorded(steps: number, observation = 2): Replay {
  const replay = new Replay({ observation, action: 1, capacity: 500, discount: 0.99 });
  const random = new Random(1);
  const seen = (x: number) => Float32Array.from({ length: observation }, (_, i) => (i === 0 ? x : -x));
  for (const stream of [0, 1]) {
    let x = 0;
    for (let t = 0; t < steps; t++) {
      if (t % 20 === 0) x = random.uniform(-1, 1);
      const action = random.uniform(-1, 1);
      const next = x + 0.3 * action;
      replay.add({
        ...{ stream, observation: seen(x), action: [action], reward: next, nextObservation: seen(next) },
        ...{ terminal: false, truncated: t % 20 === 19 },
      });
      x = next;
    }
  }
  return replay;
}

/** The words of such a world. */
export const channels = ['x', 'back'].map((name) => ({ name, unit: 'm' }));
export const STEP_S = 0.05;

/** What a model expects that has hardly learned anything. */
export async function dreamt(): Promise<Dream> {
  let shown: OpenLoop | undefined;
  const learner = await DreamerLearner.create({ world, config, seed: 1 });
  const training = new DreamerTraining({
    ...{ learner, replay: recorded(200), seed: 1 },
    onOpenLoop: (openLoop) => {
      shown = openLoop;
    },
  });
  await training.update();
  await training.study();
  await learner.dispose();
  return dreamOf(shown!, channels, STEP_S);
}
