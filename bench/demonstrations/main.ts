/**
 * What demonstrations are worth: robot minutes until an arm picks and places for a sparse reward, with
 * twenty scripted demonstrations and without any. It can do it from the second of two evaluations in a
 * row (20 fresh episodes each) with 90 % success; its age is that of the second policy.
 *
 *     node dist/bench/demonstrations/main.js [--seeds 1,2,3] [--out runs/demonstrations] [--json]
 *
 * Without demonstrations it is given `--factor` times (2) the robot time that it took with them, those
 * of the demonstrations included.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/files.js';
import { readMetrics } from '../../src/learn/trainer/metrics.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { machine } from '../measure/machine.js';

const TASK = 'pick';
const ROBOT = 'arm-table';
const DEMONSTRATIONS = 20;
const SUCCESS = 0.9;
const IN_A_ROW = 2;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    factor: { type: 'string', default: '2' },
    out: { type: 'string', default: join('runs', 'demonstrations') },
    json: { type: 'boolean', default: false },
  },
});

interface Learned {
  /** Until it could do it, or null where it could not in `given_minutes`. */
  readonly robot_minutes: number | null;
  readonly given_minutes: number;
  /** Best success in evaluation. */
  readonly best_success: number;
}

interface Result {
  readonly seed: number;
  /** That the demonstrations took; not in `robot_minutes`. */
  readonly demonstration_minutes: number;
  readonly with: Learned;
  readonly without: Learned;
}

const { spec } = loadRobot(ROBOT);
const steps_per_minute = 60 * spec.rates.policy_hz;

function reverie(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/src/cli/main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`reverie ${args[0]} ended with ${code}`)),
    );
  });
}

/** Trains, and looks at how its evaluations went. @param steps at most; the recipe's own where not given */
async function learn(seed: number, folder: string, options: readonly string[]): Promise<Learned> {
  await reverie(
    'train',
    TASK,
    '--robot',
    ROBOT,
    '--seed',
    String(seed),
    '--out',
    folder,
    '--fresh',
    ...options,
  );
  const rows = readMetrics(join(folder, 'metrics.jsonl'));
  let inARow = 0;
  let learned: number | null = null;
  let best_success = 0;
  for (const { candidate, eval_success_rate } of rows) {
    if (typeof candidate !== 'number' || typeof eval_success_rate !== 'number') continue;
    best_success = Math.max(best_success, eval_success_rate);
    inARow = eval_success_rate >= SUCCESS ? inARow + 1 : 0;
    if (inARow === IN_A_ROW) learned ??= candidate / steps_per_minute;
  }
  return { robot_minutes: learned, given_minutes: rows.at(-1)!.step / steps_per_minute, best_success };
}

const results: Result[] = [];
for (const seed of values.seeds.split(',').map(Number)) {
  const demos = join(values.out, `demos-${seed}`);
  rmSync(demos, { recursive: true, force: true });
  await reverie(
    ...['demonstrate', TASK, '--robot', ROBOT, '--seed', String(seed)],
    ...['--episodes', String(DEMONSTRATIONS), '--out', demos],
  );
  const demonstration_minutes = (DEMONSTRATIONS * createTask(TASK, spec).episodeSteps) / steps_per_minute;
  const led = await learn(seed, join(values.out, `with-${seed}`), ['--demos', demos]);
  const minutes = Number(values.factor) * ((led.robot_minutes ?? led.given_minutes) + demonstration_minutes);
  const alone = await learn(seed, join(values.out, `without-${seed}`), [
    '--steps',
    String(Math.ceil(minutes * steps_per_minute)),
  ]);
  results.push({ seed, demonstration_minutes, with: led, without: alone });
  process.stderr.write(`seed ${seed}: with ${inWords(led)}; without ${inWords(alone)}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
else
  for (const { seed, with: led, without: alone } of results)
    process.stdout.write(`seed ${seed}: with ${inWords(led)}; without ${inWords(alone)}\n`);

function inWords({ robot_minutes, given_minutes, best_success }: Learned): string {
  const best = `at best ${Math.round(100 * best_success)} %`;
  return robot_minutes === null
    ? `not within ${given_minutes.toFixed(1)} robot minutes (${best})`
    : `${robot_minutes.toFixed(1)} robot minutes (${best})`;
}
