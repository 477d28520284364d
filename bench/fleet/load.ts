import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Link } from '../../src/fleet/link.js';
import { metricsSchema } from '../../src/fleet/telemetry.js';
import { ANY, runTopics } from '../../src/fleet/topics.js';
import { machine } from '../measure/machine.js';
import { brokerProcess } from './broker.js';
import { Child, cpu_s, killOnSignal } from './child.js';
import { countFleet, type FleetCount } from './count.js';
import { learnerProcess } from './learner.js';
import { ledgerOf, type RobotsOrder, STOP } from './order.js';

export interface LoadOptions {
  readonly robots: number;
  /** Transitions that each makes in a second. */
  readonly hz: number;
  /** That are measured. */
  readonly seconds: number;
  readonly onNote: (line: string) => void;
}

/** Milliseconds of processor time. */
export interface Cost_ms {
  readonly broker: number;
  /** Making transitions, spool and sender, of all robots. */
  readonly robots: number;
  /** Receiving and storing, without learning. */
  readonly learner: number;
}

export interface LoadResult extends FleetCount {
  readonly machine: string;
  readonly broker: string;
  readonly robots: number;
  readonly hz: number;
  /** Stored by the learner a second while it was measured. */
  readonly stored_per_s: number;
  readonly cpu_ms_per_1000_transitions: Cost_ms;
}

/** Robots share processes, since a machine of two cores has none to spare for hundreds. */
const PROCESSES = 4;
/** Before the measurement: robots find their learner, code is compiled. */
const WARM_UP_S = 5;
const DRAIN_S = 120;

/** Many robots' experience through one broker into one replay, and what that costs each part. */
export async function loadFleet(options: LoadOptions): Promise<LoadResult> {
  const { robots, hz, seconds, onNote } = options;
  const folder = mkdtempSync(join(tmpdir(), 'reverie-bench-load-'));
  const broker = await brokerProcess(folder, onNote);
  const capacity = Math.ceil(2 * robots * hz * (seconds + WARM_UP_S + DRAIN_S / 4));
  const learner = learnerProcess(folder, broker.url, capacity, onNote);
  const { site, run, sizes } = learner;
  const numbers = Array.from({ length: robots }, (_, robot) => robot);
  const fleet = Array.from({ length: Math.min(PROCESSES, robots) }, (_, p) => {
    const own = numbers.filter((robot) => robot % PROCESSES === p);
    const order: RobotsOrder = { url: broker.url, site, run, sizes, hz, robots: own, folder };
    const entry = fileURLToPath(new URL('./robots.js', import.meta.url));
    return new Child(`robots ${p}`, [process.execPath, entry, JSON.stringify(order)], onNote);
  });
  const all = [broker.child, learner.child, ...fleet];
  const letGo = killOnSignal(() => all);
  onNote(`${broker.name}, ${robots} robots at ${hz} Hz, ${seconds} s`);
  let watcher: Link | undefined;
  try {
    broker.child.start();
    await broker.listening();
    watcher = await Link.connect({ url: broker.url });
    const stored = await storedBy(watcher, site, run);
    learner.child.start();
    for (const child of fleet) child.start();
    await stored(robots * hz * WARM_UP_S);
    const look = async () => ({
      stored: await stored(0),
      at_ms: performance.now(),
      cpu: costs(broker.child, fleet, learner.child),
    });
    const before = await look();
    await new Promise((resolve) => setTimeout(resolve, 1e3 * seconds));
    const after = await look();
    await Promise.all(fleet.map((child) => child.end(DRAIN_S, STOP)));
    await learner.child.end(DRAIN_S);
    const transitions = after.stored - before.stored;
    const per1000 = (part: keyof Cost_ms) =>
      round((1000 * (after.cpu[part] - before.cpu[part])) / transitions);
    return {
      machine: machine(),
      broker: broker.name,
      robots,
      hz,
      stored_per_s: round((1000 * transitions) / (after.at_ms - before.at_ms)),
      cpu_ms_per_1000_transitions: {
        broker: per1000('broker'),
        robots: per1000('robots'),
        learner: per1000('learner'),
      },
      ...countFleet(
        learner,
        numbers.map((robot) => ledgerOf(folder, robot)),
      ),
    };
  } finally {
    letGo();
    await watcher?.close();
    await Promise.all(all.map((child) => child.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns waits for the learner's next word that it has stored at least so many */
async function storedBy(link: Link, site: string, run: string): Promise<(least: number) => Promise<number>> {
  let heard: (transitions: number) => void = () => {};
  await link.subscribe(runTopics(site, run).metrics(ANY), (payload) => {
    heard(metricsSchema.parse(JSON.parse(payload.toString())).transitions);
  });
  return (least) =>
    new Promise((resolve) => {
      heard = (transitions) => {
        if (transitions >= least) resolve(transitions);
      };
    });
}

function costs(broker: Child, fleet: readonly Child[], learner: Child): Cost_ms {
  const ms = (child: Child) => 1e3 * cpu_s(child.pid);
  return {
    broker: ms(broker),
    robots: fleet.reduce((sum, child) => sum + ms(child), 0),
    learner: ms(learner),
  };
}

function round(x: number): number {
  return Number(x.toFixed(1));
}
