/**
 * Does Dreamer learn to get up from any lying and walk on, from sixty demonstrations and what it lives through after
 * them? The robot's time is that of both; a run ends after three evaluations in a row with 95 %.
 *
 *     node dist/bench/get-up/walk.js [--seeds 1,2,3] [--out runs/rise-and-walk] [--json]
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Evaluation } from '../../src/policy/manifest.js';
import { machine } from '../measure/machine.js';
import { reverie } from '../train/reverie.js';

const ROBOT = 'quadruped';
const DEMONSTRATIONS = 60;
/** DayDreamer's hour at 20 Hz, less what was shown: 60 episodes of 10 s. */
const STEPS = 72_000 - DEMONSTRATIONS * 200;
const TASK = ['rise', '--robot', ROBOT, '--set', 'walk_m_s=0.3'];

interface Trained {
  readonly passed: boolean;
  readonly robot_minutes: number;
  readonly wall_minutes: number;
  readonly bundle: string;
  readonly eval: Evaluation;
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    out: { type: 'string', default: join('runs', 'rise-and-walk') },
    json: { type: 'boolean', default: false },
  },
});

const results = [];
for (const seed of values.seeds.split(',')) {
  const demos = join(values.out, `demos-${seed}`);
  rmSync(demos, { recursive: true, force: true });
  const { frames } = await reverie<{ frames: number }>(
    ...['demonstrate', ...TASK, '--episodes', String(DEMONSTRATIONS), '--seed', seed, '--out', demos],
  );
  const trained = await reverie<Trained>(
    ...['train', ...TASK, '--learner', 'dreamer', '--demos', demos, '--seed', seed],
    ...['--steps', String(STEPS), '--eval-episodes', '100', '--out', join(values.out, seed)],
  );
  const { passed, robot_minutes, wall_minutes, bundle, eval: evaluation } = trained;
  const shown_minutes = frames / 20 / 60;
  results.push({
    seed: Number(seed),
    passed,
    shown_minutes,
    robot_minutes,
    wall_minutes,
    evaluation,
    bundle,
  });
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
else
  for (const { seed, passed, shown_minutes, robot_minutes, wall_minutes, evaluation } of results)
    process.stdout.write(
      `seed ${seed}: ${passed ? 'passed' : 'not passed'} after ${shown_minutes.toFixed(1)} minutes shown and ` +
        `${robot_minutes.toFixed(1)} of its own, ${wall_minutes.toFixed(1)} of wall time; of ${evaluation.episodes}: ` +
        `rolls over ${percent(evaluation.rolled_over_rate)}, stands ${percent(evaluation.stood_rate)}, ` +
        `up and walking at the end ${percent(evaluation.success_rate)}, ${evaluation.speed_at_end_mps?.toFixed(2)} m/s\n`,
    );

function percent(share: number | null | undefined): string {
  return `${Math.round(100 * (share ?? 0))} %`;
}
