import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { BrokerAccess } from '../../src/fleet/access.js';
import { type Broker, startBroker } from '../../src/fleet/broker.js';
import { CursorFile } from '../../src/fleet/cursors.js';
import { ExperienceReceiver } from '../../src/fleet/experienceReceiver.js';
import { ExperienceSender, type SenderOptions } from '../../src/fleet/experienceSender.js';
import { Link, type LinkOptions } from '../../src/fleet/link.js';
import { Spool, type SpoolOptions } from '../../src/fleet/spool.js';
import { Replay } from '../../src/learn/replay/replay.js';
import type { Experience } from '../../src/robot/experience.js';

export const sizes = { observation: 3, action: 2 };
export const names = { site: 'test', robot: 'robot', run: 'walk' };

export function experience(n: number, part: Partial<Experience> = {}): Experience {
  return {
    episode: 1,
    step: n,
    terminal: false,
    truncated: false,
    person: false,
    reward: n + 0.25,
    observation: Float32Array.of(n, 0, -n),
    action: Float32Array.of(0.5, -0.5),
    nextObservation: Float32Array.of(n + 1, 0, -n - 1),
    ...part,
  };
}

const open: { close(): unknown }[] = [];

/** Closes at the end of the test, the newest first. */
export function opened<T extends { close(): unknown }>(thing: T): T {
  open.unshift(thing);
  return thing;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-fleet-'));
  // Behind everything that was opened in it.
  open.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
  return folder;
}

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

export async function broker(port = 0): Promise<Broker> {
  return opened(await startBroker(port));
}

export async function link(access: string | BrokerAccess, options: LinkOptions = {}): Promise<Link> {
  return opened(await Link.connect(typeof access === 'string' ? { url: access } : access, options));
}

export interface Sender {
  readonly spool: Spool;
  readonly sender: ExperienceSender;
}

/** A robot with its spool. */
export async function robot(
  on: Link,
  folder = temporaryFolder(),
  options: Partial<SenderOptions> & SpoolOptions = {},
): Promise<Sender> {
  const spool = opened(Spool.open(folder, sizes, options));
  const resendAfter_s = 0.3;
  return {
    spool,
    sender: opened(await ExperienceSender.create(on, spool, { ...names, resendAfter_s, ...options })),
  };
}

export interface Learner {
  readonly receiver: ExperienceReceiver;
  readonly replay: Replay;
  /** Numbers of the transitions that were taken, in their order, and of those before which some are lost. */
  readonly taken: number[];
  readonly gaps: number[];
}

/** A learner with a replay in a file, which does nothing but store. */
export async function learner(
  on: Link,
  folder = temporaryFolder(),
  onNotice: (line: string) => void = () => {},
): Promise<Learner> {
  const path = join(folder, 'replay.bin');
  const replay = opened(new Replay({ ...sizes, capacity: 10_000, discount: 0.99, path }));
  const taken: number[] = [];
  const gaps: number[] = [];
  const receiver = await ExperienceReceiver.create(on, sizes, {
    site: names.site,
    run: names.run,
    cursors: CursorFile.open(join(folder, 'received.json'), replay.added),
    store: {
      add(stream, transitions, gap) {
        if (gap) gaps.push(transitions[0].step);
        for (const t of transitions) {
          replay.add({ stream, ...t });
          taken.push(t.step);
        }
      },
      flush: () => replay.flush(),
      rewind: (added) => replay.rewind(added),
      get added() {
        return replay.added;
      },
    },
    onNotice,
  });
  opened(receiver);
  return { receiver, replay, taken, gaps };
}

export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

export async function eventually(what: string, holds: () => boolean, limit_s = 30): Promise<void> {
  for (const end = Date.now() + 1e3 * limit_s; !holds(); ) {
    if (Date.now() > end) throw new Error(`not within ${limit_s} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
