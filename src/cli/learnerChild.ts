import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../base/files.js';
import type { Launch } from '../launch/launch.js';
import type { EngineChoice } from '../tensor/engineNames.js';

export interface LearnerChildOptions {
  readonly broker: string;
  readonly run: string;
  readonly from?: string;
  readonly policy?: string;
  readonly engine?: EngineChoice;
  /** Start it again when it is lost. */
  readonly keep: boolean;
  readonly onLine: (line: string) => void;
  /** It ended by itself or was killed, not by `close`. @param what one line on that, and on what follows */
  readonly onLost: (what: string) => void;
}

/** How long the learner may take to write its checkpoint before it is killed. */
const END_S = 8;

/** The robot's own main thread goes before the learner where both want a core. */
const NICE = 5;

/** Seconds until a lost learner is started again: the first wait, and the longest. Each is twice the one before. */
const BACK_OFF_S = { first: 1, longest: 60 } as const;
/** A learner that lived this long was well: the next wait is the first again. */
const WELL_S = 60;
/** What `reverie` ends with where what was asked for is wrong: it would be wrong again. */
const MISTAKE = 2;

/**
 * The learner in a process of its own: whatever becomes of it, the robot's process goes on. It is
 * started again where it left off when it dies.
 */
export class LearnerChild {
  private child!: ChildProcess;
  private ended!: Promise<void>;
  private closing = false;
  private wait_s: number = BACK_OFF_S.first;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly launch: Launch,
    private readonly options: LearnerChildOptions,
  ) {
    this.start();
  }

  private start(): void {
    const { launch } = this;
    const { broker, run, from, policy, engine, onLine } = this.options;
    const args = ['learn', launch.path, '--broker', broker, '--run', run, '--while-broker'];
    if (from) args.push('--from', from);
    if (policy) args.push('--policy', policy);
    if (engine) args.push('--engine', engine);
    const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    if (child.pid !== undefined) setPriority(child.pid, NICE);
    createInterface({ input: child.stderr! }).on('line', onLine);
    const began_ms = Date.now();
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (!this.closing) this.lost(code, signal, (Date.now() - began_ms) / 1e3);
        resolve();
      });
    });
  }

  private lost(code: number | null, signal: NodeJS.Signals | null, lived_s: number): void {
    const { keep, onLost } = this.options;
    const gone = `the learner is gone (${signal ?? `exit code ${code}`})`;
    if (!keep) onLost(`${gone}; the robot stops`);
    else if (code === MISTAKE) onLost(`${gone}; the robot keeps its policy`);
    else {
      if (lived_s > WELL_S) this.wait_s = BACK_OFF_S.first;
      onLost(`${gone}; the robot keeps its policy, the learner starts again in ${this.wait_s} s`);
      this.timer = setTimeout(() => this.start(), 1e3 * this.wait_s);
      this.wait_s = Math.min(BACK_OFF_S.longest, 2 * this.wait_s);
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.timer);
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), 1e3 * END_S);
    await this.ended;
    clearTimeout(killer);
  }
}
