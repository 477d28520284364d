import { join } from 'node:path';
import type { ExperienceSizes } from '../../src/fleet/experience.js';

/** What a process of robots without bodies is told, as JSON on its command line. */
export interface RobotsOrder {
  readonly url: string;
  readonly site: string;
  readonly run: string;
  readonly sizes: ExperienceSizes;
  /** Transitions a second. */
  readonly hz: number;
  /** Numbers of the robots of this process. */
  readonly robots: readonly number[];
  /** Each has a folder in it. */
  readonly folder: string;
}

/** What a process of robots that take policies is told, as JSON on its command line. */
export interface PolicyRobotsOrder {
  readonly url: string;
  readonly site: string;
  readonly run: string;
  /** File of the key that they trust. */
  readonly trust: string;
  /** Name of the policy's robot and task in the shipped folders. */
  readonly robot: string;
  readonly task: string;
  readonly names: readonly string[];
  readonly folder: string;
}

/** On its standard error, when all of them listen. */
export const READY = 'ready';

/** On its standard input: make no more transitions, and end when a learner has stored all. */
export const STOP = 'stop\n';

export const robotName = (robot: number): string => `robot-${robot}`;
export const ledgerOf = (folder: string, robot: number): string => join(folder, robotName(robot), 'made.bin');
