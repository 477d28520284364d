import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A process of a bench, which may be killed and started again. */
export class Child {
  private process: ChildProcess | undefined;
  private exited: Promise<number | null> = Promise.resolve(null);

  /** @param onLine of its standard error */
  constructor(
    readonly name: string,
    private readonly command: readonly [string, ...string[]],
    private readonly onLine: (line: string) => void = () => {},
  ) {}

  get alive(): boolean {
    return this.process !== undefined;
  }

  /** @throws Error where it is not running */
  get pid(): number {
    if (this.process?.pid === undefined) throw new Error(`${this.name} does not run`);
    return this.process.pid;
  }

  start(): void {
    const [program, ...args] = this.command;
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    // It may be gone by the time it is told something.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stderr }).on('line', (line) => this.onLine(`${this.name}: ${line}`));
    this.process = child;
    this.exited = new Promise((resolve) => {
      const gone = (code: number | null) => {
        if (this.process === child) this.process = undefined;
        resolve(code);
      };
      child.once('exit', gone);
      child.once('error', (error) => {
        this.onLine(`${this.name}: ${error.message}`);
        gone(null);
      });
    });
  }

  async kill(): Promise<void> {
    this.process?.kill('SIGKILL');
    await this.exited;
  }

  /**
   * Asks it to end: by SIGTERM, or by a word on its standard input.
   * @returns its exit code, or null where it had to be killed
   */
  async end(limit_s: number, word?: string): Promise<number | null> {
    if (word === undefined) this.process?.kill('SIGTERM');
    else this.process?.stdin?.write(word);
    const timer = setTimeout(() => this.process?.kill('SIGKILL'), 1e3 * limit_s);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

/** Ticks a second in which Linux counts processor time for people (USER_HZ). */
const TICKS_PER_S = 100;

/** Processor time that a process has used, all its threads together; NaN where there is no /proc. */
export function cpu_s(pid: number): number {
  try {
    // proc(5): behind the name, which may hold blanks, user and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  } catch {
    return Number.NaN;
  }
}

/** Kills what still runs when the bench is told to end. @returns takes the care away again */
export function killOnSignal(children: () => readonly Child[]): () => void {
  const end = () => {
    for (const child of children()) void child.kill();
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
  };
}
