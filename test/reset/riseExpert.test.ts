import { afterAll, beforeAll, expect, it } from 'vitest';
import { demonstrate } from '../../sim/demonstrate.js';
import { Environment } from '../../sim/environment.js';
import type { Mujoco } from '../../sim/mujoco.js';
import { trainingRandomisation } from '../../sim/randomise.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { mujoco } from '../sim/support.js';

const robot = loadRobot('quadruped');
const task = createTask('rise', robot.spec);
let mj: Mujoco;
let env: Environment;
beforeAll(async () => {
  mj = await mujoco();
  env = new Environment(mj, robot, task, trainingRandomisation);
});
afterAll(() => env.close());

it('shows how to get up and stand, as actions of the task', () => {
  for (let seed = 0; seed < 4; seed++) {
    const { episode, success } = demonstrate(env, seed, 0.1);
    expect([seed, success]).toEqual([seed, true]);
    expect(episode.length).toBe(task.episodeSteps);
    const reward = episode.columns['next.reward'] as Float64Array;
    const action = episode.columns['policy.action'] as Float64Array;
    // It lies at first, and at the end it stands still, which is paid with 1.4 a step at most.
    expect(reward[0]).toBeLessThan(0.5);
    expect(reward.subarray(-40).reduce((a, b) => a + b) / 40).toBeGreaterThan(1);
    // Getting up takes steps of the targets that are nearly as wide as they may be, without being cut off for long.
    const wide = action.filter((a) => Math.abs(a) > 0.99).length;
    expect(wide / action.length).toBeLessThan(0.05);
  }
});

it('walks on where the task asks for it, and has shown it where it is fast enough at the end', () => {
  const walking = createTask('rise', robot.spec, { walk_m_s: 0.3 });
  const paths = new Environment(mj, robot, walking, trainingRandomisation);
  const shown = [...Array(5).keys()].map((seed) => {
    const { success } = demonstrate(paths, seed, 0.1);
    const [x_m, y_m] = paths.window.motion.position_m;
    return { success, way_m: Math.hypot(x_m, y_m) };
  });
  paths.close();
  const done = shown.filter(({ success }) => success);
  // A trot that nothing corrects does not get far every time.
  expect(done.length).toBeGreaterThan(0);
  // Three seconds at 0.7 of the speed, at least.
  for (const { way_m } of done) expect(way_m).toBeGreaterThan(0.6);
});

it('shows how to go on from where a policy got to', () => {
  let acted = 0;
  const idle = {
    observationSize: env.observation.length,
    actionSize: env.executedAction.length,
    act: (_observation: Float32Array, action: Float32Array) => {
      action.fill(0);
      acted++;
    },
    reset() {},
  };
  const longer = new Environment(mj, robot, task, trainingRandomisation, 2 * task.episodeSteps);
  const { episode, success } = demonstrate(longer, 1, 0.1, idle);
  longer.close();
  expect(success).toBe(true);
  // What the policy did is not recorded.
  expect(acted).toBeGreaterThan(0);
  expect(episode.length).toBe(task.episodeSteps);
  const truncated = episode.columns['next.truncated'] as Float64Array;
  expect([truncated.indexOf(1), episode.columns.intervention.length]).toEqual([
    task.episodeSteps - 1,
    task.episodeSteps,
  ]);
});
