import ort from 'onnxruntime-node';
import { Random } from '../../src/base/random.js';
import { actorLayout, exportActor, sacConfig } from '../../src/learn/sac/index.js';
import { GaussianPolicy } from '../../src/policy/gaussian.js';
import { Network } from '../../src/policy/network.js';
import { productEngines } from '../../src/policy/products.js';
import { Repeats } from '../measure/repeats.js';
import { type Contender, quantile } from '../measure/rounds.js';
import type { PyTorch, Style } from './pytorch.js';

/** The walking quadruped's, with three hidden layers. */
const HIDDEN = [256, 256, 256];
const [OBSERVATIONS, OUTPUTS] = [46, 24];
const sizes = [OBSERVATIONS, ...HIDDEN, OUTPUTS];

export const inferenceName = `inference-${sizes.join('-')}`;
export const inferenceFlops = sizes.slice(1).reduce((sum, width, i) => sum + 2 * width * sizes[i], 0);

/** An actor with random weights as the .onnx file that a robot is given. */
function actorFile(): Uint8Array {
  const config = sacConfig('sac', { actor_hidden: HIDDEN });
  const of = { observations: OBSERVATIONS, actions: OUTPUTS / 2, config };
  const weights = new Float32Array(new GaussianPolicy(actorLayout(of)).network.parameters.length);
  new Random(1).fillUniform(weights, -0.05, 0.05);
  return exportActor(of, weights, {});
}

/** Actions a second, one at a time: all that the control loop chooses from, and ONNX Runtime on the same file. */
export async function inferenceContenders(): Promise<Contender[]> {
  const file = actorFile();
  const observation = new Float32Array(OBSERVATIONS).fill(0.1);
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const feeds = { observation: new ort.Tensor('float32', observation, [1, OBSERVATIONS]) };
  return [
    ...productEngines().map((engine) => {
      const network = new Network(file, 'bench', engine);
      return contender(`control-loop, ${engine.name}`, (times, calls) => {
        for (let i = 0; i < times; i++) {
          const start = performance.now();
          network.input.set(observation);
          network.run();
          calls.push(performance.now() - start);
        }
      });
    }),
    {
      ...contender('onnxruntime-node', async (times, calls) => {
        for (let i = 0; i < times; i++) {
          const start = performance.now();
          await session.run(feeds);
          calls.push(performance.now() - start);
        }
      }),
      dispose: () => session.release(),
    },
  ];
}

/** @param work does it so many times, and notes how long each took, ms */
function contender(
  engine: string,
  work: (times: number, calls_ms: number[]) => Promise<void> | void,
): Contender {
  const repeats = new Repeats();
  const calls_ms: number[] = [];
  return {
    engine,
    threads: 1,
    async run() {
      const start = performance.now();
      await work(repeats.times, calls_ms);
      const each_s = (performance.now() - start) / 1000 / repeats.times;
      repeats.took(each_s);
      return 1 / each_s;
    },
    p999_us: () => 1000 * quantile(calls_ms, 0.999),
  };
}

export function inferenceComparator(torch: PyTorch, style: Style): Contender {
  const repeats = new Repeats();
  return {
    engine: `pytorch-${style}`,
    threads: 1,
    async run() {
      const { times } = repeats;
      const { seconds } = await torch.ask({ work: 'inference', style, sizes, threads: 1, times });
      repeats.took(seconds / times);
      return times / seconds;
    },
  };
}
