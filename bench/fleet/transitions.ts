import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { ExperienceSizes } from '../../src/fleet/experience.js';
import type { Experience } from '../../src/robot/experience.js';

/** Steps of an episode of the bench's robots. Every other one ends with a fall, the rest by time. */
const EPISODE_STEPS = 100;

/** Which transition it is: of which robot, in which life of its process, the how manieth of that life. */
export interface Identity {
  readonly robot: number;
  readonly life: number;
  readonly n: number;
}

/** A transition that carries its identity in its observation, where the replay keeps it. */
export function transitionOf({ robot, life, n }: Identity, sizes: ExperienceSizes): Experience {
  const observation = new Float32Array(sizes.observation);
  const nextObservation = new Float32Array(sizes.observation);
  observation.set([robot, life, n]);
  nextObservation.set([robot, life, n + 1]);
  const episode = Math.floor(n / EPISODE_STEPS);
  const step = n % EPISODE_STEPS;
  const ends = step === EPISODE_STEPS - 1;
  return {
    episode,
    step,
    terminal: ends && episode % 2 === 0,
    truncated: ends && episode % 2 === 1,
    person: false,
    reward: 0,
    observation,
    action: new Float32Array(sizes.action),
    nextObservation,
  };
}

/** @param observation of the replay */
export function identityOf(observation: Float32Array): Identity {
  const [robot, life, n] = observation;
  return { robot, life, n };
}

/** Does b follow a within an episode? */
export function follows(a: Identity, b: Identity): boolean {
  return b.robot === a.robot && b.life === a.life && b.n === a.n + 1 && b.n % EPISODE_STEPS !== 0;
}

const ENTRY_BYTES = 8;

/**
 * What a robot has made, beside the spool and in a file of its own, so that nothing of what is under
 * test counts itself: life and number of each transition, uint32 each. A kill between the spool's
 * write and this one leaves one transition more in the spool than here.
 */
export class Ledger {
  private readonly fd: number;
  private readonly entry = Buffer.alloc(ENTRY_BYTES);

  constructor(path: string) {
    this.fd = openSync(path, 'a');
  }

  note(life: number, n: number): void {
    this.entry.writeUInt32LE(life, 0);
    this.entry.writeUInt32LE(n, 4);
    writeSync(this.fd, this.entry);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Transitions made, by life. @throws Error where a life does not count from 0 without a gap */
export function readLedger(path: string): Map<number, number> {
  const bytes = readFileSync(path);
  const made = new Map<number, number>();
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const [life, n] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    if (n !== (made.get(life) ?? 0)) throw new Error(`${path}: life ${life} goes on with ${n}`);
    made.set(life, n + 1);
  }
  return made;
}
