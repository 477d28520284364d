import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Puts a thread under the system's first-in-first-out real-time scheduler, so that no ordinary work
 * of the machine keeps it waiting.
 * @param tid the system's thread id
 * @param priority 1 to 99
 * @returns undefined, or why it is not permitted
 */
export async function makeRealtime(tid: string, priority: number): Promise<string | undefined> {
  if (tid === '') return 'no thread ids on this system';
  try {
    await promisify(execFile)('chrt', ['--fifo', '--pid', String(priority), tid]);
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return (stderr || message).trim().split('\n').at(-1);
  }
}
