import { readlinkSync } from 'node:fs';

/** The system's id of the thread that calls this, or "" where there is no /proc. */
export function threadId(): string {
  try {
    return readlinkSync('/proc/thread-self').split('/').at(-1)!;
  } catch {
    return '';
  }
}
