import { expect } from 'vitest';
import { Random } from '../../src/base/random.js';
import { compile, Graph, gradients, mul, type Shape, sum, type Tensor } from '../../src/tensor/index.js';
import { referenceValues } from '../../src/tensor/referenceValues.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { enginesHere } from './engines.js';

/** Values that float32 holds exactly, so that both engines start from the same numbers. */
export function values(seed: number, shape: Shape, low = -2, high = 2): Float32Array {
  const out = new Float32Array(sizeOf(shape));
  new Random(seed).fillUniform(out, low, high);
  return out;
}

export interface Case {
  shapes: Shape[];
  build: (...inputs: Tensor[]) => Tensor;
  /** Range of the inputs' values. */
  range?: [number, number];
}

/** A graph with a scalar loss that weighs every element of the case's result differently, and its gradients. */
export function lossGraph({ shapes, build, range }: Case) {
  const g = new Graph();
  const inputs = shapes.map((shape, i) => g.input(`x${i}`, shape));
  const result = build(...inputs);
  const weights = g.constant([...values(99, result.shape, 0.5, 1.5)], result.shape);
  const loss = sum(mul(result, weights));
  const fed = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, values(i + 1, shape, ...(range ?? []))]));
  return { g, inputs, result, loss, grads: gradients(loss, inputs), fed };
}

/** Checks gradients against central differences in double precision. */
export function checkAgainstDifferences(c: Case): void {
  const { loss, grads, fed } = lossGraph(c);
  const at: Record<string, Float64Array> = Object.fromEntries(
    Object.entries(fed).map(([id, v]) => [id, Float64Array.from(v)]),
  );
  const lossAt = () => referenceValues([loss], (_, id) => at[id])[0][0];
  const analytic = referenceValues(grads, (_, id) => at[id]);
  for (const [i, id] of Object.keys(at).entries()) {
    for (const j of at[id].keys()) {
      const x = at[id][j];
      const h = 1e-5;
      at[id][j] = x + h;
      const above = lossAt();
      at[id][j] = x - h;
      const below = lossAt();
      at[id][j] = x;
      const difference = (above - below) / (2 * h);
      expect(
        Math.abs(analytic[i][j] - difference),
        `${id}[${j}]: ${analytic[i][j]} and ${difference}`,
      ).toBeLessThan(1e-6 * (1 + Math.abs(difference)));
    }
  }
}

/** Single precision against double, relative to 1 + |value|. */
const TOLERANCE = 1e-5;

/** Checks that every engine that is here computes the result and the gradients that the reference engine computes. */
export async function checkEngines(c: Case): Promise<void> {
  const { g, result, grads, fed } = lossGraph(c);
  g.step('all', [], { result, ...Object.fromEntries(grads.map((t, i) => [`g${i}`, t])) });
  const expected = await (await compile(g, { engine: 'reference' })).run('all', fed);
  for (const engine of enginesHere) {
    const program = await compile(g, { engine });
    const values = await program.run('all', fed);
    for (const id of Object.keys(expected))
      expectClose(values[id], expected[id], TOLERANCE, `${engine}: ${id}`);
    await program.dispose();
  }
}

export function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number, what = ''): void {
  expect(a.length, what).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    // Not "greater than": NaN must fail as well.
    if (!(Math.abs(a[i] - b[i]) <= tolerance * (1 + Math.abs(b[i])))) {
      expect.fail(`${what}[${i}]: ${a[i]} and ${b[i]} differ by more than ${tolerance}`);
    }
  }
}
