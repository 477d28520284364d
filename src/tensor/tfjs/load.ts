import type * as Tensorflow from '@tensorflow/tfjs-core';
import type { EngineFinding } from '../engine.js';

export type TF = typeof Tensorflow;

/** What runs TensorFlow.js graphs, the fastest first: packages to import, and the backend that they bring. */
const candidates = [
  { packages: ['@tensorflow/tfjs-node-gpu'], backend: 'tensorflow' },
  { packages: ['@tensorflow/tfjs-node'], backend: 'tensorflow' },
  { packages: ['@tensorflow/tfjs'], backend: 'cpu' },
  // What the one before consists of, as far as graphs need it.
  { packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'], backend: 'cpu' },
] as const;

// Without --save-prod npm takes them for the optional peers that they are, and installs nothing.
const HELP =
  'npm install --no-save --save-prod @tensorflow/tfjs-node-gpu (CUDA), @tensorflow/tfjs-node (both with Node.js before 23) or @tensorflow/tfjs';

export interface LoadedTensorflow {
  readonly tf: TF;
  readonly finding: EngineFinding;
}

let loading: Promise<LoadedTensorflow | EngineFinding> | undefined;

/**
 * The best TensorFlow.js that is installed, with its backend running; looked for once. All of them are optional: the
 * compiled ones download libtensorflow when they are installed.
 * @returns a finding alone where there is none
 */
export function loadTensorflow(): Promise<LoadedTensorflow | EngineFinding> {
  loading ??= load();
  return loading;
}

async function load(): Promise<LoadedTensorflow | EngineFinding> {
  const tried: string[] = [];
  for (const { packages, backend } of candidates) {
    try {
      // Variables, so that the compiler does not look for packages that are optional.
      const [main, ...more] = packages;
      const { default: tf } = (await import(main)) as { default: TF };
      for (const name of more) await import(name);
      // Neither checks for NaN after each operation nor the advice to install something faster.
      tf.enableProdMode();
      if (!(await tf.setBackend(backend))) throw new Error(`its backend ${backend} does not start`);
      const kind = backend === 'cpu' ? 'plain JavaScript' : 'compiled';
      const faster = backend === 'cpu' ? `\nfaster ones: ${tried.join(', ')}` : '';
      const found = `${packages[0]} ${tf.version_core}, ${kind}${faster}`;
      return { tf, finding: { available: true, found, help: HELP } };
    } catch (error) {
      tried.push(`${packages[0]} ${whyNot(error as NodeJS.ErrnoException, packages)}`);
    }
  }
  return { available: false, found: tried.join('; '), help: HELP };
}

function whyNot({ code, message }: NodeJS.ErrnoException, packages: readonly string[]): string {
  const missing = code === 'ERR_MODULE_NOT_FOUND' && packages.some((name) => message.includes(`'${name}'`));
  return missing ? 'is not installed' : `does not load: ${message.split('\n')[0]}`;
}
