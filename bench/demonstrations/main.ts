/**
 * What demonstrations are worth: robot minutes until an arm picks and places for a sparse reward, with
 * twenty scripted demonstrations and without any. It can do it from the second of two evaluations in a
 * row (20 fresh episodes each) with 90 % success; its age is that of the second policy, the minutes that
 * the demonstrations took included. Then the best policy is judged on 100 episodes that nothing was chosen by.
 *
 *     node dist/bench/demonstrations/main.js [--seeds 1,2,3] [--out runs/demonstrations] [--json]
 *
 * Without demonstrations it is given `--factor` times (2) the robot time that it took with them.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/files.js';
import { readMetrics } from '../../src/learn/trainer/metrics.js';
import type { Evaluation } from '../../src/policy/manifest.js';
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
    workers: { type: 'string', default: '1' },
    out: { type: 'string', default: join('runs', 'demonstrations') },
    json: { type: 'boolean', default: false },
  },
});

interface Learned {
  /** Robot time until it could do it, or null where it could not in `given_minutes`. */
  readonly robot_minutes: number | null;
  readonly given_minutes: number;
  /** Success in the evaluations beside training, in their order. */
  readonly evaluations: readonly number[];
  /** Success of the best policy in episodes of their own. */
  readonly final_success: number;
}

interface Result {
  readonly seed: number;
  /** That the demonstrations took: part of the robot time with them. */
  readonly demonstration_minutes: number;
  readonly with: Learned;
  readonly without: Learned;
}

const { spec } = loadRobot(ROBOT);
const steps_per_minute = 60 * spec.rates.policy_hz;
const demonstration_minutes = (DEMONSTRATIONS * createTask(TASK, spec).episodeSteps) / steps_per_minute;

/** @returns the object that the command ends with */
function reverie(...args: string[]): Promise<unknown> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/src/cli/main.js'), ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === 0
        ? resolve(JSON.parse(printed.trim().split('\n').at(-1)!))
        : reject(new Error(`reverie ${args[0]} ended with ${code}`)),
    );
  });
}

/**
 * Trains, and looks at how its evaluations went.
 * @param before_minutes robot time that the run begins with
 * @param options of the command: demonstrations, or the most steps
 */
async function learn(
  seed: number,
  folder: string,
  before_minutes: number,
  options: readonly string[],
): Promise<Learned> {
  const { robot_minutes, eval: final } = (await reverie(
    ...['train', TASK, '--robot', ROBOT, '--seed', String(seed), '--workers', values.workers],
    ...['--out', folder, '--fresh', ...options],
  )) as { readonly robot_minutes: number; readonly eval: Evaluation };
  const evaluations: number[] = [];
  let inARow = 0;
  let learned: number | null = null;
  for (const { candidate, eval_success_rate } of readMetrics(join(folder, 'metrics.jsonl'))) {
    if (typeof candidate !== 'number' || typeof eval_success_rate !== 'number') continue;
    evaluations.push(eval_success_rate);
    inARow = eval_success_rate >= SUCCESS ? inARow + 1 : 0;
    if (inARow === IN_A_ROW) learned ??= before_minutes + candidate / steps_per_minute;
  }
  return {
    robot_minutes: learned,
    given_minutes: before_minutes + robot_minutes,
    evaluations,
    final_success: final.success_rate!,
  };
}

const results: Result[] = [];
for (const seed of values.seeds.split(',').map(Number)) {
  const demos = join(values.out, `demos-${seed}`);
  rmSync(demos, { recursive: true, force: true });
  await reverie(
    ...['demonstrate', TASK, '--robot', ROBOT, '--seed', String(seed)],
    ...['--episodes', String(DEMONSTRATIONS), '--out', demos],
  );
  const led = await learn(seed, join(values.out, `with-${seed}`), demonstration_minutes, ['--demos', demos]);
  process.stderr.write(`seed ${seed} with demonstrations: ${inWords(led)}\n`);
  const minutes = Number(values.factor) * (led.robot_minutes ?? led.given_minutes);
  const steps = Math.ceil(minutes * steps_per_minute);
  const alone = await learn(seed, join(values.out, `without-${seed}`), 0, ['--steps', String(steps)]);
  process.stderr.write(`seed ${seed} without: ${inWords(alone)}\n`);
  results.push({ seed, demonstration_minutes, with: led, without: alone });
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
else
  for (const { seed, with: led, without: alone } of results)
    process.stdout.write(
      `seed ${seed}: with ${DEMONSTRATIONS} demonstrations ${inWords(led)}; without ${inWords(alone)}\n`,
    );

function inWords({ robot_minutes, given_minutes, final_success }: Learned): string {
  const judged = `${Math.round(100 * final_success)} % of fresh episodes`;
  return robot_minutes === null
    ? `not within ${given_minutes.toFixed(1)} robot minutes (${judged})`
    : `${robot_minutes.toFixed(1)} robot minutes (${judged})`;
}
