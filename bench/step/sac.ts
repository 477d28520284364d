import { Random } from '../../src/base/random.js';
import { SacLearner, sacConfig } from '../../src/learn/sac/index.js';
import type { Contender } from '../measure/rounds.js';

/** A training step to be measured: a preset of SAC at a width of both hidden layers and a batch size. */
export interface SacCase {
  readonly name: string;
  readonly preset: 'sac' | 'droq' | 'crossq';
  readonly hidden: number;
  readonly batch: number;
}

/** The walking quadruped's. */
export const observations = 46;
export const actions = 12;

/** How long our waiting threads spin before they sleep: PyTorch's spin too. */
const SPIN_US = 100;
/** A round is made of so many steps that it takes about as long as this. */
const ROUND_S = 0.05;

/** Our learner as a contender: updates a second, in the preset's proportion of steps with and without the actor. */
export async function sacContender(c: SacCase, threads: number): Promise<Contender> {
  const hidden = [c.hidden, c.hidden];
  const config = sacConfig(c.preset, { batch: c.batch, critic_hidden: hidden, actor_hidden: hidden });
  const learner = await SacLearner.create({
    observations,
    actions,
    config,
    seed: 1,
    threads,
    spin_us: SPIN_US,
  });
  const random = new Random(2);
  const draw = (count: number) => {
    const values = new Float32Array(count);
    random.fillNormal(values);
    return values;
  };
  const batch = {
    observation: draw(c.batch * observations),
    action: draw(c.batch * actions).map(Math.tanh),
    reward: draw(c.batch),
    discount: new Float32Array(c.batch).fill(0.99),
    nextObservation: draw(c.batch * observations),
  };
  const time_s = async (steps: number, withActor: boolean) => {
    const start = performance.now();
    for (let i = 0; i < steps; i++) await learner.step(batch, withActor);
    return (performance.now() - start) / 1000 / steps;
  };
  let steps = 1;
  return {
    engine: 'onnx',
    threads,
    async run() {
      const every = config.actor_every;
      const both_s = await time_s(steps, true);
      const critic_s = every > 1 ? await time_s(steps, false) : 0;
      const update_s = (both_s + (every - 1) * critic_s) / every;
      steps = Math.max(1, Math.round(ROUND_S / (both_s + critic_s)));
      return 1 / update_s;
    },
    dispose: () => learner.dispose(),
  };
}
