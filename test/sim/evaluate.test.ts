import { expect, it } from 'vitest';
import { Environment } from '../../sim/environment.js';
import { runEpisode } from '../../sim/evaluate.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { evaluationRandomisation } from '../../sim/randomise.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import type { Policy } from '../../src/policy/policy.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';

it('a task that ends in walking is done by a robot that walks at the end, not by one that stands', async () => {
  const robot = loadRobot('quadruped');
  const task = { ...createTask('walk', robot.spec), succeeded: () => true, endSpeed_m_s: 0.3 };
  const env = new Environment(await loadMujoco(), robot, task, evaluationRandomisation);
  const stands: Policy = {
    observationSize: env.observation.length,
    actionSize: env.executedAction.length,
    act: (_observation, action) => {
      action.fill(0);
    },
    reset: () => {},
  };
  const seconds = 5;
  const steps = seconds * robot.spec.rates.policy_hz;
  const walking = runEpisode(env, loadPolicy(readBundle('quadruped-walk')), 1, steps);
  const standing = runEpisode(env, stands, 1, steps);
  env.close();
  expect(walking.speedAtEnd_mps).toBeGreaterThan(0.5);
  expect(walking.success).toBe(true);
  expect(Math.abs(standing.speedAtEnd_mps)).toBeLessThan(0.1);
  expect(standing.success).toBe(false);
  expect(walking.rolledOver).toBeNull();
});

it('of a robot that begins lying it says whether it rolled over and stood', async () => {
  const robot = loadRobot('quadruped');
  const task = createTask('rise', robot.spec);
  const env = new Environment(await loadMujoco(), robot, task, evaluationRandomisation);
  const { rolledOver, stood, success } = runEpisode(
    env,
    loadPolicy(readBundle('quadruped-rise')),
    1,
    task.episodeSteps,
  );
  env.close();
  expect({ rolledOver, stood, success }).toEqual({ rolledOver: true, stood: true, success: true });
});
