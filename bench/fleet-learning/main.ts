/**
 * How many minutes of its life each of several robots needs to learn to walk, when one learner learns
 * from all of them over a broker: real `reverie learn` and `reverie run` processes, robots simulated
 * in real time, from nothing. The newest policy is judged again and again beside them, ten episodes of
 * ten seconds with pushes: it walks with at most one fall and 0.5 to 1.0 m/s along the starting heading.
 *
 *     node dist/bench/fleet-learning/main.js [--robots 4] [--minutes 8] [--seed 1] [--json]
 *
 * Robots that miss ticks for want of processor time make other experience: the result says how many.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { packageRoot } from '../../src/base/files.js';
import { Link } from '../../src/fleet/link.js';
import { decodePolicy } from '../../src/fleet/policyMessage.js';
import { SiteView } from '../../src/fleet/siteView.js';
import { taskRecipes } from '../../src/learn/trainer/recipes.js';
import type { Evaluation } from '../../src/policy/manifest.js';
import { makeKeys, readTrustedKey } from '../../src/policy/signature.js';
import { loadRobot } from '../../src/robot/load.js';
import { brokerProcess } from '../fleet/broker.js';
import { Child, killOnSignal } from '../fleet/child.js';
import { machine } from '../measure/machine.js';

const POLICY_HZ = 20;
/** Of rest between two judgements, so that they take their share of the machine and not more. */
const LOOK_MS = 10_000;
const JUDGING_SEED = 4_000_000;
const END_S = 20;
const SITE = 'bench';

const { values } = parseArgs({
  options: {
    robots: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const robots = Number(values.robots);
const robot = loadRobot('quadruped');
const limit_ms = 60_000 * Number(values.minutes);

const folder = mkdtempSync(join(tmpdir(), 'reverie-fleet-learning-'));
const say = (line: string) => console.error(line);
const broker = await brokerProcess(folder, say);
const keys = makeKeys(join(folder, 'keys'));
const launch = join(folder, 'launch.yaml');
writeFileSync(
  launch,
  JSON.stringify({
    robot: 'quadruped',
    task: 'walk',
    driver: { kind: 'sim', randomisation: 'evaluation' },
    site: SITE,
    seed: Number(values.seed),
    explore: 1,
    runs: folder,
    dashboard: { enabled: false },
    realtime: { fifo: false },
    learner: {
      // As bench/robot-time has it for one robot.
      overrides: taskRecipes.walk.learner,
      updates_per_step: 1,
      warmup: 400,
      // From nothing there is nothing to lose: the robots always run the newest.
      gate: 'none',
      evaluate_every: 200,
      rollout: { safety_events: 1000, tolerance: 10 },
    },
  }),
);
const reverie = (name: string, ...args: string[]) =>
  new Child(name, [process.execPath, join(packageRoot, 'bin/reverie.js'), ...args], say);
const run = join(folder, 'learner');
const learner = reverie(
  'learner',
  ...['learn', launch, '--run', run, '--broker', broker.url, '--signing-key', keys.private],
);
const fleet = Array.from({ length: robots }, (_, i) => {
  const name = `robot-${i + 1}`;
  return reverie(name, 'run', launch, '--name', name, '--broker', broker.url, '--trust', keys.public);
});
const all = [broker.child, learner, ...fleet];
const letGo = killOnSignal(() => all);

/** The newest that was published, judged. */
async function judged(): Promise<{ readonly steps: number; readonly evaluation: Evaluation } | undefined> {
  const path = join(run, 'rollout', 'current.rvp');
  if (!existsSync(path)) return undefined;
  const policy = decodePolicy(readFileSync(path), [readTrustedKey(keys.public)]);
  const bundle = { ...policy, path: 'the newest policy' };
  const episodes = { episodes: 10, seconds_each: 10, seed: JUDGING_SEED, workers: 1 };
  const evaluation = await evaluateBundle({ robot, bundle, ...episodes });
  return { steps: policy.manifest.training?.env_steps ?? 0, evaluation };
}

function walks({ falls, mean_speed_mps: speed }: Evaluation): boolean {
  return (falls ?? 0) <= 1 && speed !== null && speed >= 0.5 && speed <= 1;
}

const minutesEach = (steps: number) => steps / POLICY_HZ / 60 / robots;

broker.child.start();
await broker.listening();
const link = await Link.connect({ url: broker.url });
const view = await SiteView.open(link, SITE, () => {}, say);
for (const child of [learner, ...fleet]) child.start();
const began_ms = performance.now();
let newest: Awaited<ReturnType<typeof judged>>;
while (performance.now() - began_ms < limit_ms && !(newest && walks(newest.evaluation))) {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  newest = await judged();
  if (!newest) continue;
  const { falls, mean_speed_mps } = newest.evaluation;
  say(`${minutesEach(newest.steps).toFixed(2)} min each: ${falls} falls, ${mean_speed_mps?.toFixed(2)} m/s`);
}
const health = [...view.robots.values()].flatMap((robot) => robot.health ?? []);
const ticks = health.reduce((sum, h) => sum + h.ticks + h.missed_ticks, 0);
const missed = health.reduce((sum, h) => sum + h.missed_ticks, 0);
const result = {
  machine: machine(),
  robots,
  seed: Number(values.seed),
  robot_minutes_each:
    newest && walks(newest.evaluation) ? Number(minutesEach(newest.steps).toFixed(2)) : null,
  newest: newest?.evaluation ?? null,
  wall_minutes: Number(((performance.now() - began_ms) / 60_000).toFixed(2)),
  missed_ticks_share: Number((missed / ticks).toFixed(4)),
};
await Promise.all(fleet.map((robot) => robot.end(END_S)));
await learner.end(END_S);
await link.close();
letGo();
await broker.child.kill();
rmSync(folder, { recursive: true, force: true });
if (values.json) console.log(JSON.stringify(result));
else
  console.log(`${robots} robots: ${result.robot_minutes_each ?? 'not within the time:'} robot minutes each`);
process.exit(result.robot_minutes_each === null ? 1 : 0);
