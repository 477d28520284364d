import { closeSync, constants, openSync, readSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import { type JsEvent, JsEventParser } from './gamepad.js';

const CHUNK_BYTES = 4096;

/**
 * A joystick device that is asked and never waited for: a read that waits would hold a thread of the
 * pool until the next event, and the process with it when it wants to end.
 */
export class Joystick {
  private readonly fd: number;
  private readonly parser = new JsEventParser();
  private readonly chunk = Buffer.alloc(CHUNK_BYTES);

  /** @throws UserError where the device cannot be opened */
  constructor(readonly path: string) {
    try {
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const help =
        code === 'EACCES' ? 'sudo usermod -aG input $USER and a new login' : 'is the gamepad plugged in?';
      throw new UserError(`${path}: cannot be opened (${code}); ${help}`);
    }
  }

  /** What happened since the last call. @returns undefined where the device is gone */
  events(): JsEvent[] | undefined {
    try {
      return this.parser.push(this.chunk.subarray(0, readSync(this.fd, this.chunk)));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? [] : undefined;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
