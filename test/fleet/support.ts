import { afterEach } from 'vitest';
import { type Broker, startBroker } from '../../src/fleet/broker.js';
import type { Experience } from '../../src/fleet/experience.js';
import { Link } from '../../src/fleet/link.js';
import { type Role, topicsOf } from '../../src/fleet/topics.js';

export const sizes = { observation: 3, action: 2 };

export function experience(n: number, part: Partial<Experience> = {}): Experience {
  return {
    episode: 1,
    step: n,
    terminal: false,
    truncated: false,
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

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

export async function broker(port = 0): Promise<Broker> {
  return opened(await startBroker(port));
}

export async function link(url: string, role: Role): Promise<Link> {
  return opened(await Link.connect(url, topicsOf('test', 'robot'), role));
}

export async function eventually(what: string, holds: () => boolean, limit_s = 20): Promise<void> {
  for (const end = Date.now() + 1e3 * limit_s; !holds(); ) {
    if (Date.now() > end) throw new Error(`not within ${limit_s} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
