/**
 * Environment steps a second (sensing, control step, safety kernel, physics, reward) with uniformly
 * random actions, on one simulation worker and on two, paired and interleaved in one run.
 *
 *     node dist/bench/simulation/main.js [--robot quadruped] [--task walk] [--rounds 7] [--json]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { RolloutPool } from '../../sim/rolloutPool.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';

const { values: flags } = parseArgs({
  options: {
    robot: { type: 'string', default: 'quadruped' },
    task: { type: 'string', default: 'walk' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});
const robot = loadRobot(flags.robot);
const task = createTask(flags.task, robot.spec);
/** Steps of each environment in a round. */
const STEPS = 200;
const WORKERS = [1, 2];
const ENVIRONMENTS = 4;

const pools = await Promise.all(
  WORKERS.map((workers) =>
    RolloutPool.create({
      robot,
      task,
      actor: {
        observations: observationSize(task.contract),
        actions: robot.spec.joints.length,
        hidden: [256, 256],
        activation: 'relu',
      },
      seed: 1,
      workers,
      environments: ENVIRONMENTS,
      evaluation: { episodes: 1, seconds_each: 1, stepsPerRound: 1 },
    }),
  ),
);
const rates: number[][] = WORKERS.map(() => []);
for (let round = 0; round <= Number(flags.rounds); round++) {
  for (const [i, pool] of pools.entries()) {
    const began = performance.now();
    await pool.collect(STEPS, undefined);
    // The first round compiles.
    if (round > 0) rates[i].push((1000 * STEPS * ENVIRONMENTS) / (performance.now() - began));
  }
}
await Promise.all(pools.map((pool) => pool.close()));

const results = WORKERS.map((workers, i) => {
  const sorted = rates[i].sort((a, b) => a - b);
  return {
    workers,
    steps_per_s: sorted[sorted.length >> 1],
    least: sorted[0],
    most: sorted[sorted.length - 1],
  };
});
const machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.version}`;
if (flags.json) console.log(JSON.stringify({ machine, robot: flags.robot, task: flags.task, results }));
else {
  console.log(`${flags.robot}, ${flags.task}; ${machine}`);
  for (const r of results)
    console.log(
      `${r.workers} worker${r.workers > 1 ? 's' : ''}: ${r.steps_per_s.toFixed(0)} environment steps/s (${r.least.toFixed(0)}–${r.most.toFixed(0)})`,
    );
}
