import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { UserError } from '../base/errors.js';

/**
 * Takes a file as the sign that this process has a folder to itself. What a killed process left is
 * taken over, also where its number has been given to another process since: after a power cut a
 * robot starts the same programs in the same order.
 * @throws UserError where the process that has it lives
 */
export function lock(path: string): void {
  const owner = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  const pid = Number.parseInt(owner, 10);
  if (pid > 0 && pid !== process.pid && owner === processMark(pid))
    throw new UserError(`${path}: process ${pid} has this spool open; two robots need two names`);
  writeFileSync(path, processMark(process.pid));
}

/**
 * A process as no other ever was: its number, on Linux with the boot and the clock tick in which it
 * started. Empty where there is none.
 */
export function processMark(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // proc(5): behind the name, which may hold blanks, the start time is field 22.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return `${pid} ${boot} ${fields[19]}`;
  } catch {
    return isAlive(pid) ? String(pid) : '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
