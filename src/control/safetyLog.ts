import { closeSync, openSync, writeSync } from 'node:fs';
import type { RobotSpec } from '../robot/spec.js';
import type { SafetyEvent } from '../safety/events.js';

/** The append-only log of safety events: JSON lines of time, cause, joint, value and limit. */
export class SafetyLog {
  private readonly fd: number;

  constructor(
    path: string,
    private readonly spec: RobotSpec,
  ) {
    this.fd = openSync(path, 'a');
  }

  write({ time_s, cause, joint, value, limit }: SafetyEvent): void {
    const name = this.spec.joints[joint]?.name ?? null;
    // JSON has no NaN: what was not a number is written as null.
    writeSync(this.fd, `${JSON.stringify({ time_s, cause, joint: name, value, limit })}\n`);
  }

  close(): void {
    closeSync(this.fd);
  }
}
