import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Environment } from '../../sim/environment.js';
import type { Mujoco } from '../../sim/mujoco.js';
import { evaluationRandomisation, trainingRandomisation } from '../../sim/randomise.js';
import { Random } from '../../src/base/random.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';
import { mujoco } from './support.js';

let mj: Mujoco;
beforeAll(async () => {
  mj = await mujoco();
});

const open: Environment[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});

function make(robotName: string, taskName: string, episodeSteps?: number): Environment {
  const robot = loadRobot(robotName);
  const task = createTask(taskName, robot.spec);
  const env = new Environment(mj, robot, task, trainingRandomisation, episodeSteps);
  open.push(env);
  return env;
}

/** Everything that an episode under random actions shows to a learner. */
function episode(env: Environment, seed: number, steps: number, reach = 1): unknown[] {
  const random = new Random(seed + 1);
  const action = new Float32Array(env.executedAction.length);
  env.reset(seed);
  const seen: unknown[] = [Array.from(env.observation)];
  for (let t = 0; t < steps; t++) {
    random.fillUniform(action, -reach, reach);
    const { reward, ending } = env.step(action);
    const { power_w, slip_m_s, touchdowns } = env.window;
    seen.push([reward, ending, power_w, slip_m_s, touchdowns, ...env.observation, ...env.executedAction]);
    if (ending !== 'none') break;
  }
  return seen;
}

describe.each([
  ['quadruped', 'walk'],
  ['quadruped', 'rise'],
  ['arm', 'reach'],
])('the %s that learns to %s', (robot, task) => {
  it('lives the same episode bit for bit from the same seed, in a new environment and in a used one', () => {
    const [fresh, used] = [make(robot, task), make(robot, task)];
    episode(used, 5, 30);
    episode(used, 6, 7);
    const expected = episode(fresh, 42, 40, 0.3);
    expect(expected.length).toBeGreaterThan(5);
    expect(episode(used, 42, 40, 0.3)).toEqual(expected);
    expect(episode(used, 43, 40, 0.3)).not.toEqual(expected);
  });

  it('sees as many finite numbers as the contract says', () => {
    const env = make(robot, task);
    env.reset(1);
    expect(env.observation).toHaveLength(observationSize(env.task.contract));
    expect(env.observation.every(Number.isFinite)).toBe(true);
  });

  it('is truncated, not terminated, when its time is over', () => {
    const env = make(robot, task, 5);
    const still = new Float32Array(env.executedAction.length);
    env.reset(1);
    const endings = Array.from({ length: 5 }, () => env.step(still).ending);
    expect(endings).toEqual(['none', 'none', 'none', 'none', 'truncated']);
  });

  it('remembers what the safety kernel executed, not what was asked', () => {
    const env = make(robot, task);
    env.reset(3);
    const n = env.executedAction.length;
    const { contract } = env.task;
    // From one end of the action to the other in one period: velocity and acceleration limits hold it back.
    env.step(new Float32Array(n).fill(-1));
    const from = Float64Array.from(env.control.kernel.executed_rad);
    env.step(new Float32Array(n).fill(1));
    const { executed_rad } = env.control.kernel;
    env.executedAction.forEach((a, j) => {
      const { kind, centre_rad, scale_rad, share = 1 } = contract.action;
      const moved = (executed_rad[j] - from[j]) / share;
      const expected = (kind === 'delta' ? moved : from[j] + moved - centre_rad[j]) / scale_rad[j];
      expect(a).toBeCloseTo(Math.min(1, Math.max(-1, expected)), 6);
    });
  });
});

describe('the quadruped', () => {
  it('ends its episode by termination when it falls', () => {
    const env = make('quadruped', 'walk');
    const random = new Random(2);
    const wild = new Float32Array(12);
    let ending = 'none';
    for (let seed = 0; seed < 20 && ending !== 'terminated'; seed++) {
      env.reset(seed);
      do {
        random.fillUniform(wild, -1, 1);
        wild.forEach((a, j) => {
          wild[j] = Math.sign(a);
        });
        ending = env.step(wild).ending;
      } while (ending === 'none');
    }
    expect(ending).toBe('terminated');
  });

  it('that is held back by a limit stores less than was asked', () => {
    // A velocity limit that lets a target cover a fifth of the way in one period.
    const robot = loadRobot('quadruped');
    const joints = robot.spec.joints.map((j) => ({ ...j, velocity_rad_s: (0.2 * 2 * j.action_rad) / 0.05 }));
    const slow = { ...robot, spec: { ...robot.spec, joints } };
    const env = new Environment(mj, slow, createTask('walk', slow.spec), evaluationRandomisation);
    open.push(env);
    env.reset(1);
    env.step(new Float32Array(12).fill(0.3));
    env.step(new Float32Array(12).fill(-1));
    for (const a of env.executedAction) {
      expect(a).toBeGreaterThan(-0.6);
      expect(a).toBeLessThan(0.4);
    }
  });

  it('reports an episode that physics left as interrupted, and starts the next one sound', () => {
    const env = make('quadruped', 'walk');
    const still = new Float32Array(12);
    env.reset(1);
    env.step(still);
    env.robot.truth.qvel[7] = Number.NaN;
    expect(env.step(still).ending).toBe('interrupted');
    env.reset(2);
    expect(env.step(still).ending).toBe('none');
    expect(env.observation.every(Number.isFinite)).toBe(true);
  });
});
