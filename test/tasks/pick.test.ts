import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demonstrate } from '../../sim/demonstrate.js';
import { Environment } from '../../sim/environment.js';
import { trainingRandomisation } from '../../sim/randomise.js';
import { Dataset } from '../../src/datasets/reader.js';
import { robotFeatures, transitionsOf } from '../../src/datasets/robotFrames.js';
import { DatasetWriter } from '../../src/datasets/writer.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { mujoco } from '../sim/support.js';

const robot = loadRobot('arm-table');
const { spec } = robot;
const task = createTask('pick', spec);
const folder = mkdtempSync(join(tmpdir(), 'reverie-pick-'));
let env: Environment;

beforeAll(async () => {
  env = new Environment(await mujoco(), robot, task, trainingRandomisation);
});
afterAll(() => {
  env.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('pick', () => {
  it('needs things on the table', () => {
    expect(() => createTask('pick', loadRobot('arm').spec)).toThrow(/needs two objects/);
  });

  it('pays for the object in its place and nothing else', () => {
    const { episode, success } = demonstrate(env, 1, 0);
    expect(success).toBe(true);
    const reward = episode.columns['next.reward'] as Float64Array;
    const seen = episode.columns['observation.environment_state'] as Float64Array;
    const first = reward.indexOf(1);
    expect(first).toBeGreaterThan(20);
    expect(new Set(reward)).toEqual(new Set([0, 1]));
    // Where it is paid for the first time the peg stands on the block: 0.02 + 0.02 above its top.
    const [x, y, z] = seen.subarray(6 * (first + 1), 6 * (first + 1) + 3);
    expect(Math.hypot(x - 0.19, y + 0.12)).toBeLessThan(0.035);
    expect(z).toBeCloseTo(0.06, 2);
  });

  it('sees distances in two scales: decimetres, and millimetres once it is near', () => {
    env.reset(5);
    const seen = Array.from(env.observation);
    const far_dm = seen.slice(18, 24);
    const near = seen.slice(-6);
    // asinh of the distance in 5 mm: 20 of them to a decimetre.
    far_dm.forEach((d, i) => {
      expect(near[i]).toBeCloseTo(Math.asinh(20 * d), 3);
    });
    expect(Math.max(...near.map(Math.abs))).toBeGreaterThan(3);
  });

  it('starts with the peg somewhere else in each episode, and alike for one seed', () => {
    const start = (seed: number) => {
      env.reset(seed);
      return Array.from(env.window.state.object_m.subarray(0, 2));
    };
    expect(start(5)).toEqual(start(5));
    expect(start(5)).not.toEqual(start(6));
  });

  it('gives demonstrations to learn from, refused by a robot of other rate or joints', async () => {
    const path = join(folder, 'demos');
    const writer = new DatasetWriter(path, {
      fps: 10,
      robot: spec.name,
      features: robotFeatures(spec, task.contract),
    });
    const { episode } = demonstrate(env, 2, 0.05);
    await writer.add(episode);
    await writer.close();
    const dataset = await Dataset.open(path);
    const transitions = [];
    for await (const t of transitionsOf(dataset, spec, task.contract)) transitions.push(t);
    expect(transitions).toHaveLength(task.episodeSteps);
    expect(transitions.at(-1)).toMatchObject({ terminal: false, truncated: true, reward: 1 });
    // One step's end is the next one's beginning.
    expect(transitions[3].nextObservation).toEqual(transitions[4].observation);
    const { spec: arm } = loadRobot('arm');
    const read = async (as: typeof spec, contract: typeof task.contract) => {
      for await (const _ of transitionsOf(dataset, as, contract)) return;
    };
    await expect(read(arm, createTask('reach', arm).contract)).rejects.toThrow(
      /10 frames a second, arm acts at 20/,
    );
    await expect(read(spec, createTask('reach', spec).contract)).rejects.toThrow(
      /"policy.observation" is of/,
    );
  });
});
