/**
 * Does Dreamer learn within an hour of the robot's time to get up from any lying and walk on? From nothing, or from
 * demonstrations, whose time counts, and what it lives through after them. A run ends after three evaluations in a row
 * with 95 %.
 *
 *     node dist/bench/get-up/walk.js [--demonstrations 60] [--seeds 1,2,3] [--out runs/rise-and-walk] [--json]
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Evaluation } from '../../src/policy/manifest.js';
import { machine } from '../measure/machine.js';
import { reverie } from '../train/reverie.js';

const ROBOT = 'quadruped';
/** DayDreamer's hour at 20 Hz. */
const STEPS = 72_000;
const EPISODE_STEPS = 200;
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
    demonstrations: { type: 'string', default: '0' },
    seeds: { type: 'string', default: '1,2,3' },
    out: { type: 'string', default: join('runs', 'rise-and-walk') },
    json: { type: 'boolean', default: false },
  },
});

const demonstrations = Number(values.demonstrations);
const results = [];
for (const seed of values.seeds.split(',')) {
  const shown = demonstrations > 0 ? await show(seed) : undefined;
  const trained = await reverie<Trained>(
    ...['train', ...TASK, '--learner', 'dreamer', '--seed', seed, ...(shown ? ['--demos', shown.path] : [])],
    ...['--steps', String(STEPS - demonstrations * EPISODE_STEPS), '--eval-episodes', '100'],
    ...['--out', join(values.out, seed)],
  );
  const { passed, robot_minutes, wall_minutes, bundle, eval: evaluation } = trained;
  const shown_minutes = (shown?.frames ?? 0) / 20 / 60;
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

/** Scripted demonstrations. */
async function show(seed: string): Promise<{ path: string; frames: number }> {
  const path = join(values.out, `demos-${seed}`);
  rmSync(path, { recursive: true, force: true });
  const { frames } = await reverie<{ frames: number }>(
    ...['demonstrate', ...TASK, '--episodes', values.demonstrations, '--seed', seed, '--out', path],
  );
  return { path, frames };
}

function percent(share: number | null | undefined): string {
  return `${Math.round(100 * (share ?? 0))} %`;
}
