import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/base/files.js';

/** How a comparator goes about its work; bench/pytorch/sac.py says what each means. */
export type Style = 'cleanrl' | 'lean' | 'compile';

/** A process of bench/pytorch/serve.py. */
export class PyTorch {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    readonly version: string,
  ) {}

  /** @returns the reason, where Python or PyTorch cannot be had */
  static async start(python: string): Promise<PyTorch | string> {
    const script = join(packageRoot, 'bench', 'pytorch', 'serve.py');
    const child = spawn(python, ['-B', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    const failed = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code) => resolve(`${python} ended with exit code ${code}`));
    });
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (typeof first === 'string') return first;
    if (first.done) return failed;
    const { ready, error } = JSON.parse(first.value) as { ready?: string; error?: string };
    return ready ? new PyTorch(child, lines, ready) : `${python}: ${error}`;
  }

  /** @throws Error with PyTorch's own where it cannot do that */
  async ask(request: Readonly<Record<string, unknown>>): Promise<Record<string, number>> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the PyTorch process ended');
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  stop(): void {
    this.child.stdin!.end();
  }
}
