import { expect, it } from 'vitest';
import { RolloutPool } from '../../sim/rolloutPool.js';
import { GaussianPolicy } from '../../src/policy/gaussian.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';

const STEPS = 10;

const robot = loadRobot('quadruped');
const task = createTask('walk', robot.spec);
const joints = robot.spec.joints.length;
const actor = {
  observations: observationSize(task.contract),
  actions: joints,
  hidden: [4],
  activation: 'relu',
} as const;
/** Its mean action is nothing, its spread is wide. */
const still = new Float32Array(new GaussianPolicy(actor).network.parameters.length);

/** Rows of each environment under that policy. */
async function executed(greedy: number | undefined): Promise<Map<number, number[][]>> {
  const pool = await RolloutPool.create({
    ...{ robot, task, seed: 1, workers: 2, environments: 4, greedy },
    actor: { kind: 'gaussian', ...actor },
    evaluation: { episodes: 1, seconds_each: 1, stepsPerRound: 1 },
  });
  const rollouts = await pool.collect(STEPS, still);
  await pool.close();
  const rows = new Map<number, number[][]>();
  for (const { count, stream, action } of rollouts)
    for (let row = 0; row < count; row++) {
      const of = rows.get(stream[row]) ?? [];
      rows.set(stream[row], [...of, [...action.subarray(row * joints, (row + 1) * joints)]]);
    }
  return rows;
}

const size = (rows: number[][]) => Math.max(...rows.flat().map(Math.abs));

it('environments explore, but for those that act as the finished policy will', async () => {
  const rows = await executed(3);
  expect([...rows.keys()].sort()).toEqual([0, 1, 2, 3]);
  for (const of of rows.values()) expect(of).toHaveLength(STEPS);
  expect([0, 1, 2, 3].map((n) => size(rows.get(n)!) < 0.02)).toEqual([true, true, true, false]);
});

it('all of them explore unless said otherwise, and a seed repeats what they do', async () => {
  const rows = await executed(undefined);
  expect([0, 1, 2, 3].map((n) => size(rows.get(n)!) > 0.1)).toEqual([true, true, true, true]);
  expect(await executed(undefined)).toEqual(rows);
});
