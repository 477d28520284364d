import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import type { RobotSpec } from '../robot/spec.js';
import type { SafetyEvent } from '../safety/events.js';
import type { ResetReport } from './resetReport.js';

/** What the first line of a log is chained to. */
const START = '0'.repeat(64);

/**
 * The append-only log of safety events: JSON lines of time, cause, joint, value, limit and the targets
 * that were executed; and beside them of how the robot got out of trouble. Each line ends with the SHA-256 of the line before it and of its own content, so
 * that a line which was changed, taken out or put in later shows: `verifySafetyLog` finds it.
 */
export class SafetyLog {
  private readonly fd: number;
  private hash: string;

  /** Goes on where an existing log ends. @throws UserError where that is damaged */
  constructor(
    path: string,
    private readonly spec: RobotSpec,
  ) {
    this.hash = existsSync(path) ? verifySafetyLog(path).hash : START;
    this.fd = openSync(path, 'a');
  }

  write({ time_s, cause, joint, value, limit, executed_rad }: SafetyEvent): void {
    const name = this.spec.joints[joint]?.name ?? null;
    const wall = new Date().toISOString();
    // JSON has no NaN: what was not a number is written as null.
    this.append({
      wall,
      time_s,
      cause,
      joint: name,
      value,
      limit,
      executed_rad: Array.from(executed_rad),
    });
  }

  /** How the robot got out of trouble, or did not. */
  writeReset({ time_s, ...reset }: ResetReport): void {
    this.append({ wall: new Date().toISOString(), time_s, reset });
  }

  private append(content: object): void {
    this.hash = chained(this.hash, JSON.stringify(content));
    writeSync(this.fd, `${JSON.stringify({ ...content, hash: this.hash })}\n`);
  }

  close(): void {
    fsyncSync(this.fd);
    closeSync(this.fd);
  }
}

export interface VerifiedLog {
  readonly events: number;
  /** Of the last line. Whoever keeps it elsewhere can tell that lines were cut off the end. */
  readonly hash: string;
}

/** @throws UserError naming the first line that does not belong where it is */
export function verifySafetyLog(path: string): VerifiedLog {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  let hash = START;
  const last = lines.pop();
  lines.forEach((line, i) => {
    const where = `${path}, line ${i + 1}`;
    let content: { hash?: unknown };
    try {
      content = JSON.parse(line);
    } catch {
      throw new UserError(`${where}: not JSON`);
    }
    const { hash: written, ...rest } = content;
    hash = chained(hash, JSON.stringify(rest));
    if (written !== hash)
      throw new UserError(
        `${where}: its hash does not follow from the line before it: something was changed`,
      );
  });
  if (last !== '') throw new UserError(`${path}, line ${lines.length + 1}: not complete`);
  return { events: lines.length, hash };
}

function chained(before: string, content: string): string {
  return createHash('sha256').update(before).update(content).digest('hex');
}
