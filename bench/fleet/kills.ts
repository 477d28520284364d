import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../../src/base/random.js';
import { brokerProcess } from './broker.js';
import { Child, killOnSignal } from './child.js';
import { countFleet, type FleetCount } from './count.js';
import { learnerProcess } from './learner.js';
import { ledgerOf, type RobotsOrder, robotName, STOP } from './order.js';

export interface KillOptions {
  readonly robots: number;
  /** For which the robots make transitions. */
  readonly seconds: number;
  readonly kills: number;
  readonly seed: number;
  readonly onNote: (line: string) => void;
}

export interface KillResult extends FleetCount {
  readonly kills: number;
}

const HZ = 50;
/** Kills are spread over this part of the time, so that every one meets a fleet at work. */
const KILLING = [0.03, 0.95] as const;
/** What was killed is away for up to this long. */
const AWAY_S = 2;
/** The last kills may have left minutes of experience in the spools of a slow machine. */
const DRAIN_S = 300;

/**
 * Robots, a broker and a learner as real processes, killed by SIGKILL at random moments and started
 * again, while the robots go on making transitions. What is in the replay at the end is counted.
 * @throws Error where a robot could not deliver what it has within minutes
 */
export async function killFleet(options: KillOptions): Promise<KillResult> {
  const { robots, seconds, onNote } = options;
  const folder = mkdtempSync(join(tmpdir(), 'reverie-bench-fleet-'));
  const broker = await brokerProcess(folder, onNote);
  // Twice what is due: a replay that is too small would forget.
  const learner = learnerProcess(folder, broker.url, Math.ceil(2 * HZ * seconds * robots), onNote);
  const { site, run, sizes } = learner;
  const numbers = Array.from({ length: robots }, (_, robot) => robot);
  const fleet = numbers.map((robot) => {
    const order: RobotsOrder = { url: broker.url, site, run, sizes, hz: HZ, robots: [robot], folder };
    const entry = fileURLToPath(new URL('./robots.js', import.meta.url));
    return new Child(robotName(robot), [process.execPath, entry, JSON.stringify(order)], onNote);
  });
  const all = [broker.child, learner.child, ...fleet];
  const letGo = killOnSignal(() => all);
  onNote(`${broker.name}, ${robots} robots at ${HZ} Hz, ${seconds} s, ${options.kills} kills`);
  try {
    for (const child of all) child.start();
    const kills = await killAtRandom([[broker.child], [learner.child], fleet], options);
    onNote('no more kills; waiting until everything is stored');
    const codes = await Promise.all(fleet.map((robot) => robot.end(DRAIN_S, STOP)));
    const late = numbers.filter((robot) => codes[robot] !== 0).map(robotName);
    if (late.length > 0) onNote(`not delivered within ${DRAIN_S} s by ${late.join(', ')}`);
    await learner.child.end(DRAIN_S);
    const ledgers = numbers.map((robot) => ledgerOf(folder, robot));
    return { ...countFleet(learner, ledgers), kills };
  } finally {
    letGo();
    await Promise.all(all.map((child) => child.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Kills one of a group drawn at random, each group as often, and starts it again. @returns how many were killed */
async function killAtRandom(
  groups: readonly (readonly Child[])[],
  { seconds, kills, seed, onNote }: KillOptions,
): Promise<number> {
  const random = Random.stream(seed, 'kills');
  const began_ms = performance.now();
  const at_s = (s: number) =>
    new Promise((resolve) => setTimeout(resolve, Math.max(0, 1e3 * s - (performance.now() - began_ms))));
  const moments_s = Array.from({ length: kills }, () => seconds * random.uniform(...KILLING));
  moments_s.sort((a, b) => a - b);
  const restarts: Promise<void>[] = [];
  let killed = 0;
  for (const [i, moment_s] of moments_s.entries()) {
    await at_s(moment_s);
    const away_s = random.uniform(0, AWAY_S);
    const first = random.integer(groups.length);
    const turn = random.uniform();
    // Who is away already cannot be killed again: then it is somebody else's turn.
    const alive = groups.map((group) => group.filter((child) => child.alive));
    const group = [...alive.slice(first), ...alive.slice(0, first)].find((g) => g.length > 0);
    if (!group) continue;
    const victim = group[Math.floor(turn * group.length)];
    await victim.kill();
    killed++;
    onNote(
      `kill ${i + 1} of ${kills} at ${moment_s.toFixed(1)} s: ${victim.name}, away for ${away_s.toFixed(1)} s`,
    );
    restarts.push(
      new Promise<void>((resolve) => setTimeout(resolve, 1e3 * away_s)).then(() => victim.start()),
    );
  }
  await Promise.all(restarts);
  await at_s(seconds);
  return killed;
}
