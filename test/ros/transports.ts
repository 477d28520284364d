import { existsSync } from 'node:fs';
import { addonPath, buildAddon } from '../../src/ros/transport/cycloneAddon.js';
import { openTransport, type TransportName } from '../../src/ros/transport/open.js';
import { whyNoRclnodejs } from '../../src/ros/transport/rclnodejs.js';
import type { Transport } from '../../src/ros/transport/transport.js';

/** Two ends of one transport: participants of their own where it has them. */
export interface Ends {
  readonly a: Transport;
  readonly b: Transport;
  readonly close: () => Promise<void>;
}

export interface TransportUnderTest {
  readonly name: TransportName;
  /** Why it is not there. */
  readonly absent?: string;
  /** What it is carried by fills a message with zeros up to four bytes, and passes them on. */
  readonly fills?: true;
  readonly open: (onNotice?: (line: string) => void) => Promise<Ends>;
}

/** A domain of this test process's own, so that tests that run side by side do not meet. */
export const domain = 10 + (process.pid % 80);

async function whyNoCyclone(): Promise<string | undefined> {
  if (existsSync(addonPath())) return undefined;
  try {
    await buildAddon();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Two participants of their own. */
async function pair(name: TransportName, onNotice?: (line: string) => void): Promise<Ends> {
  const a = await openTransport(name, { domain, onNotice });
  const b = await openTransport(name, { domain, onNotice });
  const close = async () => {
    await a.close();
    await b.close();
  };
  return { a, b, close };
}

export const transports: readonly TransportUnderTest[] = [
  {
    name: 'inproc',
    open: async (onNotice) => {
      const both = await openTransport('inproc', { onNotice });
      return { a: both, b: both, close: () => both.close() };
    },
  },
  {
    name: 'cyclone',
    absent: await whyNoCyclone(),
    open: (onNotice) => pair('cyclone', onNotice),
  },
  {
    name: 'rclnodejs',
    fills: true,
    absent: whyNoRclnodejs(),
    open: (onNotice) => pair('rclnodejs', onNotice),
  },
];
