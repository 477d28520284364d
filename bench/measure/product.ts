import { Random } from '../../src/base/random.js';
import { compile, type EngineName, Graph, matmul } from '../../src/tensor/index.js';
import { Repeats } from './repeats.js';
import type { Contender } from './rounds.js';

/** Rows and columns: large enough for the peak, small enough for the cache of a core. */
export const PRODUCT_SIZE = 384;
/** Products in one run, so that calling the engine does not count. */
const CHAIN = 4;

/** Additions and multiplications of one product. */
export const PRODUCT_FLOP = 2 * PRODUCT_SIZE ** 3;

/** Products of square matrices on one thread of an engine, a second. */
export async function productContender(engine: EngineName): Promise<Contender> {
  const g = new Graph();
  const shape = [PRODUCT_SIZE, PRODUCT_SIZE];
  const a = g.state('a', shape);
  let product = a;
  for (let i = 0; i < CHAIN; i++) product = matmul(product, a);
  const result = g.state('result', shape);
  g.step('multiply', [[result, product]], {});
  const program = await compile(g, { engine, threads: 1 });
  const values = new Float32Array(PRODUCT_SIZE ** 2);
  // Products of products stay of the same size.
  new Random(1).fillUniform(values, -Math.sqrt(3 / PRODUCT_SIZE), Math.sqrt(3 / PRODUCT_SIZE));
  program.setState('a', values);
  const repeats = new Repeats();
  return {
    engine,
    threads: 1,
    async run() {
      const start = performance.now();
      for (let i = 0; i < repeats.times; i++) await program.run('multiply', {});
      const each_s = (performance.now() - start) / 1000 / repeats.times;
      repeats.took(each_s);
      return CHAIN / each_s;
    },
    dispose: () => program.dispose(),
  };
}
