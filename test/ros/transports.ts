import { existsSync } from 'node:fs';
import { addonPath, buildAddon } from '../../src/ros/transport/cycloneAddon.js';
import { openTransport } from '../../src/ros/transport/open.js';
import type { Transport } from '../../src/ros/transport/transport.js';

/** Two ends of one transport: participants of their own where it has them. */
export interface Ends {
  readonly a: Transport;
  readonly b: Transport;
  readonly close: () => Promise<void>;
}

export interface TransportUnderTest {
  readonly name: string;
  /** Why it is not there. */
  readonly absent?: string;
  readonly open: (onNotice?: (line: string) => void) => Ends;
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

export const transports: readonly TransportUnderTest[] = [
  {
    name: 'inproc',
    open: (onNotice) => {
      const both = openTransport('inproc', { onNotice });
      return { a: both, b: both, close: () => both.close() };
    },
  },
  {
    name: 'cyclone',
    absent: await whyNoCyclone(),
    open: (onNotice) => {
      const a = openTransport('cyclone', { domain, onNotice });
      const b = openTransport('cyclone', { domain, onNotice });
      const close = async () => {
        await a.close();
        await b.close();
      };
      return { a, b, close };
    },
  },
  {
    name: 'rclnodejs',
    absent: 'this version has no such transport',
    open: () => {
      throw new Error('absent');
    },
  },
];
