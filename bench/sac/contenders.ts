import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/base/files.js';
import { Random } from '../../src/base/random.js';
import { type SacConfig, SacLearner } from '../../src/learn/sac/index.js';

export interface Sizes {
  observations: number;
  actions: number;
  batch: number;
  hidden: number;
}

/** Something that makes SAC updates. */
export interface Contender {
  name: string;
  engine: string;
  threads: number;
  /** Makes updates and says how many seconds they took. */
  run(updates: number): Promise<number>;
}

export async function ours(
  sizes: Sizes,
  config: SacConfig,
  threads: number,
  spin_us: number,
): Promise<Contender> {
  const learner = await SacLearner.create({ ...sizes, config, seed: 1, threads, spin_us });
  const random = new Random(2);
  const draw = (count: number) => {
    const values = new Float32Array(count);
    random.fillNormal(values);
    return values;
  };
  const batch = {
    observation: draw(sizes.batch * sizes.observations),
    action: draw(sizes.batch * sizes.actions).map(Math.tanh),
    reward: draw(sizes.batch),
    discount: new Float32Array(sizes.batch).fill(0.99),
    nextObservation: draw(sizes.batch * sizes.observations),
  };
  const run = async (updates: number) => {
    const start = performance.now();
    for (let i = 0; i < updates; i++) await learner.step(batch);
    return (performance.now() - start) / 1000;
  };
  return { name: 'reverie', engine: 'onnx', threads, run };
}

/** The PyTorch process of pytorch.py. */
export class PyTorch {
  private constructor(
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    readonly version: string,
  ) {}

  /** @returns the reason, where Python or PyTorch cannot be had */
  static async start(python: string, sizes: Sizes): Promise<PyTorch | string> {
    const script = join(packageRoot, 'bench', 'sac', 'pytorch.py');
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

  contender(variant: 'cleanrl' | 'lean', threads: number): Contender {
    const run = async (updates: number) => {
      this.process.stdin!.write(`${JSON.stringify({ variant, threads, updates })}\n`);
      const { value, done } = await this.lines.next();
      if (done) throw new Error('the PyTorch process ended');
      return (JSON.parse(value) as { seconds: number }).seconds;
    };
    return { name: variant, engine: `pytorch ${this.version}`, threads, run };
  }

  stop(): void {
    this.process.stdin!.end();
  }
}
