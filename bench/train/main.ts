/**
 * Trains a task from scratch on several seeds, one after another, and judges each policy on fresh
 * episodes: what the README's figures of learning come from.
 *
 *     node dist/bench/train/main.js walk --robot quadruped --seeds 1,2,3,4,5 [--out runs/bench] [--config F] [--json]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { learningCurve } from '../../src/learn/trainer/curve.js';
import { readMetrics } from '../../src/learn/trainer/metrics.js';
import { reverieTrain } from './reverie.js';

interface Trained {
  readonly seed: number;
  readonly robot_minutes: number;
  readonly wall_minutes: number;
  readonly updates: number;
  readonly passed: boolean;
  readonly eval: Record<string, number | null>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    robot: { type: 'string', default: 'quadruped' },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    out: { type: 'string', default: join('runs', 'bench') },
    config: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const task = positionals[0] ?? 'walk';
const { robot, out } = values;
const seeds = values.seeds.split(',').map(Number);
const folderOf = (seed: number) => join(out, `${task}-${robot}-${seed}`);

mkdirSync(out, { recursive: true });
const results: Trained[] = [];
for (const seed of seeds) {
  const result = await reverieTrain<Trained>(
    ...[task, '--robot', robot, '--seed', String(seed), '--fresh'],
    ...['--out', folderOf(seed), ...(values.config ? ['--config', values.config] : [])],
  );
  results.push(result);
  const { eval: e } = result;
  console.error(
    `seed ${seed}: ${result.wall_minutes.toFixed(2)} min, ${result.robot_minutes.toFixed(1)} robot min, falls ${e.falls}/${e.episodes}, ` +
      `speed ${e.mean_speed_mps?.toFixed(2) ?? '–'}, success ${e.success_rate?.toFixed(2)}, power ${e.mean_power_w?.toFixed(1)}, ` +
      `slip ${e.foot_slip_mps?.toFixed(3) ?? '–'}, touchdowns ${e.touchdowns_per_s?.toFixed(1) ?? '–'}`,
  );
}
const runs = seeds.map((seed) => ({
  name: `seed ${seed}`,
  rows: readMetrics(join(folderOf(seed), 'metrics.jsonl')),
}));
const evaluated =
  task === 'walk'
    ? { key: 'eval_mean_speed_mps', label: 'Speed in evaluation', unit: 'm/s', goal: [0.5, 1] as const }
    : { key: 'eval_success_rate', label: 'Success in evaluation', goal: [0.95, 1] as const };
writeFileSync(
  join(out, `${task}-${robot}.svg`),
  learningCurve(runs, {
    title: `${robot}: ${task}, ${seeds.length} seeds`,
    panels: [{ key: 'episode_return', label: 'Return while training' }, evaluated],
  }),
);
const machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.version}`;
const summary = { machine, task, robot, results };
writeFileSync(join(out, `${task}-${robot}.json`), `${JSON.stringify(summary, undefined, 2)}\n`);
console.log(
  values.json
    ? JSON.stringify(summary)
    : `${results.filter((r) => r.passed).length} of ${seeds.length} seeds passed on ${machine}`,
);
