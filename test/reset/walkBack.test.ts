import { afterEach, expect, it } from 'vitest';
import { WalkBack } from '../../src/reset/walkBack.js';
import { loadRobot } from '../../src/robot/load.js';
import { Ground } from './ground.js';

const { spec } = loadRobot('quadruped');
let ground: Ground | undefined;
afterEach(() => {
  ground?.env.close();
  ground = undefined;
});

it.each([
  ['ahead of', 0.9, 0],
  ['behind', -0.8, 0.2],
  ['beside', 0.1, -0.9],
])('walks back to where it was started from a place %s it', async (_where, x_m, y_m) => {
  ground = await Ground.of('quadruped', 'walk');
  const { env } = ground;
  env.reset(3);
  env.robot.truth.qpos[0] += x_m;
  env.robot.truth.qpos[1] += y_m;
  expect(ground.lead(new WalkBack(spec), 30)).toBe('done');
  const { qpos } = env.robot.truth;
  expect(Math.hypot(qpos[0], qpos[1])).toBeLessThan(0.4);
  expect(qpos[2]).toBeGreaterThan(0.2);
});
