import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../base/files.js';

/** A command of ours in a process of its own, watched from outside. */
export class RunningProcess {
  /** Lines of standard output and standard error so far. */
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;

  /** @param env beside that of this process */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child.stdin?.on('error', () => {});
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.out.push(line));
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.err.push(line));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get alive(): boolean {
    return isAlive(this.pid);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Processes that it started, whose command line has a word in it. Linux alone. */
  childrenWith(word: string): number[] {
    try {
      const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ');
      return children
        .filter((c) => c !== '' && readFileSync(`/proc/${c}/cmdline`, 'utf8').includes(word))
        .map(Number);
    } catch {
      return [];
    }
  }
}

/** A process that has ended but was not waited for yet does nothing any more. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
  return state !== 'Z' && state !== 'X';
}
