import { describe, expect, it } from 'vitest';
import { Environment } from '../../sim/environment.js';
import type { Randomisation } from '../../sim/randomise.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { mujoco } from './support.js';

const robot = loadRobot('quadruped');
const calm: Randomisation = {
  friction: [0.9, 0.9],
  payload_kg: [0, 0],
  push_m_s: [0, 0],
  pushEvery_s: [1, 1],
};

/** Stands on the spot for some seconds and compares estimate with truth at the end of each period. */
async function errors(randomisation: Randomisation, seconds: number) {
  const task = createTask('walk', robot.spec);
  const env = new Environment(await mujoco(), robot, task, randomisation);
  env.reset(3);
  const still = new Float32Array(robot.spec.joints.length);
  const { estimator } = env.control;
  const { motion } = env.window;
  const found = { worst_m_s: 0, sum_m_s: 0, fastest_m_s: 0, steps: 0 };
  for (let t = 0; t < seconds * robot.spec.rates.policy_hz; t++) {
    expect(env.step(still).ending).toBe('none');
    const [vx, vy] = motion.velocity_m_s;
    const error = Math.hypot(estimator.velocity_m_s[0] - vx, estimator.velocity_m_s[1] - vy);
    found.worst_m_s = Math.max(found.worst_m_s, error);
    found.sum_m_s += error;
    found.fastest_m_s = Math.max(found.fastest_m_s, Math.hypot(vx, vy));
    found.steps++;
  }
  env.close();
  return { ...found, mean_m_s: found.sum_m_s / found.steps };
}

describe('the estimate of body velocity, from noisy and late sensors,', () => {
  it('is nothing while the robot stands', async () => {
    const { worst_m_s } = await errors(calm, 4);
    expect(worst_m_s).toBeLessThan(0.04);
  });

  it('follows pushes', async () => {
    const pushed: Randomisation = { ...calm, push_m_s: [0.4, 0.4], pushEvery_s: [0.4, 0.6] };
    const { fastest_m_s, worst_m_s, mean_m_s } = await errors(pushed, 6);
    expect(fastest_m_s).toBeGreaterThan(0.15);
    // An estimate that missed a push would be wrong by its whole speed.
    expect(worst_m_s).toBeLessThan(0.5 * fastest_m_s);
    expect(mean_m_s).toBeLessThan(0.05);
  });
});
