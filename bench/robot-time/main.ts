/**
 * How many minutes of its life one robot needs to learn to walk: a single simulated robot at 20 Hz,
 * from scratch, judged again and again on fresh episodes (20 of 20 s, friction 0.6–1.2, pushes).
 * It counts as walking from the first of three evaluations in a row with at most one fall and a mean
 * speed of 0.5 to 1.0 m/s along the starting heading; its age is that of the third of those policies.
 *
 *     node dist/bench/robot-time/main.js [--seeds 1,2,3,4,5] [--out runs/robot-time] [--json]
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/files.js';
import { readMetrics } from '../../src/learn/trainer/metrics.js';
import { reverieTrain } from '../train/reverie.js';

const IN_A_ROW = 3;
const POLICY_HZ = 20;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3,4,5' },
    out: { type: 'string', default: join('runs', 'robot-time') },
    config: { type: 'string', default: join(packageRoot, 'bench/robot-time/one-robot.yaml') },
    json: { type: 'boolean', default: false },
  },
});

/** Robot minutes of the policy that is the third in a row to pass, or null. */
function minutesToWalk(folder: string): number | null {
  let inARow = 0;
  for (const row of readMetrics(join(folder, 'metrics.jsonl'))) {
    if (typeof row.candidate !== 'number') continue;
    const speed = Number(row.eval_mean_speed_mps);
    const passed = Number(row.eval_falls) <= 0.05 * Number(row.eval_episodes) && speed >= 0.5 && speed <= 1;
    inARow = passed ? inARow + 1 : 0;
    if (inARow === IN_A_ROW) return row.candidate / POLICY_HZ / 60;
  }
  return null;
}

const results: { seed: number; robot_minutes: number | null; wall_minutes: number }[] = [];
for (const seed of values.seeds.split(',').map(Number)) {
  const folder = join(values.out, `walk-${seed}`);
  const began = performance.now();
  await reverieTrain(
    ...['walk', '--robot', 'quadruped', '--seed', String(seed), '--fresh'],
    ...['--out', folder, '--config', values.config],
  );
  const result = {
    seed,
    robot_minutes: minutesToWalk(folder),
    wall_minutes: (performance.now() - began) / 60_000,
  };
  results.push(result);
  console.error(`seed ${seed}: ${result.robot_minutes?.toFixed(2) ?? 'not within the run'} robot minutes`);
}
const machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.version}`;
if (values.json) console.log(JSON.stringify({ machine, results }));
else
  for (const r of results)
    console.log(
      `seed ${r.seed}: ${r.robot_minutes?.toFixed(2) ?? '–'} robot minutes, ${r.wall_minutes.toFixed(1)} min`,
    );
