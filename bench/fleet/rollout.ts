import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Link } from '../../src/fleet/link.js';
import { policyStatusSchema } from '../../src/fleet/policyMessage.js';
import { Rollout } from '../../src/fleet/rollout.js';
import { ANY, robotTopics } from '../../src/fleet/topics.js';
import { readBundle } from '../../src/policy/bundle.js';
import { makeKeys, readSigningKey } from '../../src/policy/signature.js';
import { machine } from '../measure/machine.js';
import { brokerProcess } from './broker.js';
import { Child, killOnSignal } from './child.js';
import { type PolicyRobotsOrder, READY, robotName } from './order.js';

export interface RolloutBenchOptions {
  readonly robots: number;
  readonly rounds: number;
  readonly onNote: (line: string) => void;
}

export interface RolloutBenchResult {
  readonly machine: string;
  readonly broker: string;
  readonly robots: number;
  /** Of the policy as it travels. */
  readonly policy_bytes: number;
  /** Until the last robot said that it runs the policy, a round each. */
  readonly seconds: readonly number[];
  readonly worst_s: number;
}

const POLICY = 'quadruped-walk';
const PROCESSES = 4;
const names = { site: 'bench', run: 'rollout' };

/** How long a policy takes from the learner until every robot of a fleet has checked it and runs it. */
export async function rolloutBench(options: RolloutBenchOptions): Promise<RolloutBenchResult> {
  const { robots, rounds, onNote } = options;
  const folder = mkdtempSync(join(tmpdir(), 'reverie-bench-rollout-'));
  const broker = await brokerProcess(folder, onNote);
  const keys = makeKeys(join(folder, 'keys'));
  const bundle = readBundle(POLICY);
  let ready = 0;
  const fleet = Array.from({ length: Math.min(PROCESSES, robots) }, (_, p) => {
    const own = Array.from({ length: robots }, (_, robot) => robot).filter(
      (robot) => robot % PROCESSES === p,
    );
    const order: PolicyRobotsOrder = {
      url: broker.url,
      ...names,
      trust: keys.public,
      robot: bundle.manifest.robot,
      task: bundle.manifest.task,
      names: own.map(robotName),
      folder,
    };
    const entry = fileURLToPath(new URL('./policyRobots.js', import.meta.url));
    const onLine = (line: string) => (line.endsWith(READY) ? void ready++ : onNote(line));
    return new Child(`robots ${p}`, [process.execPath, entry, JSON.stringify(order)], onLine);
  });
  const all = [broker.child, ...fleet];
  const letGo = killOnSignal(() => all);
  let link: Link | undefined;
  try {
    broker.child.start();
    await broker.listening();
    link = await Link.connect({ url: broker.url });
    const running = new Map<string, string>();
    const watcher = await Link.connect({ url: broker.url });
    await watcher.subscribe(robotTopics(names.site, ANY).policy, (payload, topic) => {
      const { id, state, reasons } = policyStatusSchema.parse(JSON.parse(payload.toString()));
      if (state === 'trial' || state === 'kept') running.set(topic, id);
      else onNote(`${topic}: ${state}: ${reasons.join('; ')}`);
    });
    const rollout = await Rollout.create(link, {
      ...names,
      key: readSigningKey(keys.private),
      canary: [],
      trial: { seconds: 60, tolerance: 1, safety_events: 0 },
      folder: join(folder, 'rollout'),
      onNotice: onNote,
    });
    for (const child of fleet) child.start();
    await until(() => ready === fleet.length);
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      running.clear();
      const began_ms = performance.now();
      // Another name makes another policy of it.
      await rollout.publish({ ...bundle, manifest: { ...bundle.manifest, name: `${POLICY}-${round}` } });
      await until(() => running.size === robots);
      seconds.push(Number(((performance.now() - began_ms) / 1e3).toFixed(2)));
      onNote(`round ${round}: ${seconds.at(-1)} s`);
    }
    await watcher.close();
    return {
      machine: machine(),
      broker: broker.name,
      robots,
      policy_bytes: bundle.onnx.length,
      seconds,
      worst_s: Math.max(...seconds),
    };
  } finally {
    letGo();
    await link?.close();
    await Promise.all(all.map((child) => child.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
