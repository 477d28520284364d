import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/base/files.js';
import type { Contender } from '../measure/rounds.js';
import { actions, observations, type SacCase } from './sac.js';

/** A process of bench/pytorch/sac.py. */
export class PyTorch {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    readonly version: string,
  ) {}

  /** @returns the reason, where Python or PyTorch cannot be had */
  static async start(python: string): Promise<PyTorch | string> {
    const script = join(packageRoot, 'bench', 'pytorch', 'sac.py');
    const sizes = { observations, actions, batch: 256, hidden: 256 };
    const child = spawn(python, [script, JSON.stringify(sizes)], { stdio: ['pipe', 'pipe', 'ignore'] });
    const failed = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code) => resolve(`${python} ended with exit code ${code}`));
    });
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (typeof first === 'string') return first;
    if (first.done) return failed;
    const { ready, error } = JSON.parse(first.value) as { ready?: string; error?: string };
    return ready ? new PyTorch(child, lines, ready) : `${error}`;
  }

  sac(_: SacCase, variant: 'cleanrl' | 'lean', threads: number): Contender {
    const run = async () => {
      const updates = 4;
      this.child.stdin!.write(`${JSON.stringify({ variant, threads, updates })}\n`);
      const { value, done } = await this.lines.next();
      if (done) throw new Error('the PyTorch process ended');
      return updates / (JSON.parse(value) as { seconds: number }).seconds;
    };
    return { engine: `pytorch-${variant}`, threads, run };
  }

  stop(): void {
    this.child.stdin!.end();
  }
}
