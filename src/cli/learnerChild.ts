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
  readonly onLine: (line: string) => void;
  /** It ended by itself or was killed, not by `close`. */
  readonly onLost: (how: string) => void;
}

/** How long the learner may take to write its checkpoint before it is killed. */
const END_S = 8;

/** The robot's own main thread goes before the learner where both want a core. */
const NICE = 5;

/** The learner in a process of its own: whatever becomes of it, the robot's process goes on. */
export class LearnerChild {
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private closing = false;

  constructor(launch: Launch, options: LearnerChildOptions) {
    const { broker, run, from, policy, engine, onLine, onLost } = options;
    const args = ['learn', launch.path, '--broker', broker, '--run', run];
    if (from) args.push('--from', from);
    if (policy) args.push('--policy', policy);
    if (engine) args.push('--engine', engine);
    this.child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (this.child.pid !== undefined) setPriority(this.child.pid, NICE);
    createInterface({ input: this.child.stderr! }).on('line', onLine);
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        if (!this.closing) onLost(signal ?? `exit code ${code}`);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  async close(): Promise<void> {
    this.closing = true;
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), 1e3 * END_S);
    await this.ended;
    clearTimeout(killer);
  }
}
