/**
 * How many minutes of its life each of several robots needs to learn to walk, when one learner learns
 * from all of them over a broker: a real `reverie learn` process, and simulated robots with the spool,
 * sender and policy receiver of real ones, from nothing. The newest policy is judged again and again
 * beside them, ten episodes of ten seconds with pushes: it walks with at most one fall and 0.5 to
 * 1.0 m/s along the starting heading.
 *
 *     node dist/bench/fleet-learning/main.js [--robots 1,4] [--minutes 8] [--seeds 1,2] [--json]
 *
 * Robots live as fast as the learner follows: minutes are those of their lives, not of the clock.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { packageRoot } from '../../src/base/files.js';
import { decodePolicy } from '../../src/fleet/policyMessage.js';
import { taskRecipes } from '../../src/learn/trainer/recipes.js';
import type { Evaluation } from '../../src/policy/manifest.js';
import { makeKeys, readTrustedKey } from '../../src/policy/signature.js';
import { loadRobot } from '../../src/robot/load.js';
import { brokerProcess } from '../fleet/broker.js';
import { Child, killOnSignal } from '../fleet/child.js';
import { machine } from '../measure/machine.js';
import { type LearningOrder, STOP } from './order.js';

/** Of rest between two judgements, so that they take their share of the machine and not more. */
const LOOK_MS = 2000;
const JUDGING_SEED = 4_000_000;
const END_S = 20;
const SITE = 'bench';
/** As bench/robot-time has them for one robot. */
const WARMUP = 800;
const UPDATES_PER_STEP = 2;
const TARGET_ENTROPY = -0.25;

const { values } = parseArgs({
  options: {
    robots: { type: 'string', default: '1,4' },
    minutes: { type: 'string', default: '8' },
    seeds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const numbers = (list: string) => list.split(',').map(Number);
const robot = loadRobot('quadruped');
const limit_min = Number(values.minutes);
const say = (line: string) => console.error(line);

interface Result {
  readonly robots: number;
  readonly seed: number;
  /** Null where none walked within the time. */
  readonly robot_minutes_each: number | null;
  readonly wall_minutes: number;
  readonly newest: Evaluation | null;
}

function walks({ falls, mean_speed_mps: speed }: Evaluation): boolean {
  return (falls ?? 0) <= 1 && speed !== null && speed >= 0.5 && speed <= 1;
}

async function learn(robots: number, seed: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-fleet-learning-'));
  const keys = makeKeys(join(folder, 'keys'));
  const broker = await brokerProcess(folder, say);
  const launch = join(folder, 'launch.yaml');
  const learner = {
    overrides: { ...taskRecipes.walk.learner, target_entropy_per_action: TARGET_ENTROPY },
    updates_per_step: UPDATES_PER_STEP,
    warmup: WARMUP,
    warmup_actions: 'gaits',
    // From nothing there is nothing to lose: the robots always run the newest.
    gate: 'none',
    evaluate_every: 200,
    rollout: { safety_events: 1000, tolerance: 10 },
  };
  const about = { robot: 'quadruped', task: 'walk', driver: { kind: 'sim' }, site: SITE, seed, runs: folder };
  writeFileSync(launch, JSON.stringify({ ...about, learner }));
  const run = join(folder, 'learner');
  const program = join(packageRoot, 'bin/reverie.js');
  const learning = new Child(
    'learner',
    [
      process.execPath,
      program,
      ...['learn', launch, '--run', run, '--broker', broker.url, '--signing-key', keys.private],
    ],
    say,
  );
  const order: LearningOrder = {
    url: broker.url,
    site: SITE,
    run: 'walk',
    trust: keys.public,
    robot: 'quadruped',
    task: 'walk',
    names: Array.from({ length: robots }, (_, i) => `robot-${i + 1}`),
    folder,
    seed,
    warmup: WARMUP,
    updatesPerStep: UPDATES_PER_STEP,
  };
  const living = new Child(
    'robots',
    [process.execPath, join(import.meta.dirname, 'robots.js'), JSON.stringify(order)],
    say,
  );
  const letGo = killOnSignal(() => [broker.child, learning, living]);
  const minutesEach = (steps: number) => steps / robot.spec.rates.policy_hz / 60 / robots;
  const began_ms = performance.now();
  broker.child.start();
  await broker.listening();
  for (const child of [learning, living]) child.start();

  let steps = 0;
  let newest: Evaluation | null = null;
  while (!(newest && walks(newest)) && minutesEach(steps) < limit_min && learning.alive && living.alive) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const path = join(run, 'rollout', 'current.rvp');
    if (!existsSync(path)) continue;
    const policy = decodePolicy(readFileSync(path), [readTrustedKey(keys.public)]);
    if (policy.manifest.training?.env_steps === steps) continue;
    steps = policy.manifest.training?.env_steps ?? 0;
    const bundle = { ...policy, path: 'the newest policy' };
    const episodes = { episodes: 10, seconds_each: 10, seed: JUDGING_SEED, workers: 1 };
    newest = await evaluateBundle({ robot, bundle, ...episodes });
    const { falls, mean_speed_mps } = newest;
    say(`${minutesEach(steps).toFixed(2)} min each: ${falls} falls, ${mean_speed_mps?.toFixed(2)} m/s`);
  }
  await living.end(END_S, STOP);
  await learning.end(END_S);
  letGo();
  await broker.child.kill();
  rmSync(folder, { recursive: true, force: true });
  return {
    robots,
    seed,
    robot_minutes_each: newest && walks(newest) ? Number(minutesEach(steps).toFixed(2)) : null,
    wall_minutes: Number(((performance.now() - began_ms) / 60_000).toFixed(2)),
    newest,
  };
}

const results: Result[] = [];
for (const seed of numbers(values.seeds))
  for (const robots of numbers(values.robots)) {
    const result = await learn(robots, seed);
    results.push(result);
    say(
      `seed ${seed}, ${robots} robots: ${result.robot_minutes_each ?? 'not within the time:'} robot minutes each`,
    );
  }
if (values.json) console.log(JSON.stringify({ machine: machine(), results }));
else console.table(results.map(({ newest: _, ...rest }) => rest));
process.exit(results.every((r) => r.robot_minutes_each !== null) ? 0 : 1);
