import { describe, expect, test } from 'vitest';
import { type Op, reachable } from '../../src/tensor/graph.js';
import { compile, Graph, gradients, ShapeError } from '../../src/tensor/index.js';
import * as t from '../../src/tensor/operations.js';
import { enginesHere } from './engines.js';
import { type Case, checkAgainstDifferences, checkEngines, lossGraph } from './support.js';

const positive: [number, number] = [0.3, 2];
const xy = (build: Case['build'], range?: [number, number]): Case => ({
  shapes: [[3, 4], [4]],
  build,
  range,
});
const x = (build: Case['build'], range?: [number, number]): Case => ({ shapes: [[3, 4]], build, range });

const cases: Record<string, Case> = {
  neg: x(t.neg),
  exp: x(t.exp),
  log: x(t.log, positive),
  tanh: x(t.tanh),
  sigmoid: x(t.sigmoid),
  softplus: x(t.softplus),
  relu: x(t.relu),
  'relu twice': x((a) => t.relu(t.sub(t.relu(a), 0.5))),
  elu: x(t.elu),
  silu: x(t.silu),
  sqrt: x(t.sqrt, positive),
  abs: x(t.abs),
  // What gradients stop at has a slope of zero anyway, so that differences agree.
  stopGradient: x((a) => t.mul(t.exp(a), t.stopGradient(t.sign(a)))),
  reciprocal: x(t.reciprocal, positive),
  square: x(t.square),
  pow: x((a) => t.pow(a, 2.5), positive),
  clip: x((a) => t.clip(a, -1, 0.5)),
  add: xy(t.add),
  sub: xy(t.sub),
  'sub, broadcast first': xy((a, b) => t.sub(b, a)),
  mul: xy(t.mul),
  div: xy(t.div, positive),
  'div, broadcast first': xy((a, b) => t.div(b, a), positive),
  min: xy(t.min),
  max: xy(t.max),
  'numbers as operands': x((a) => t.sub(1, t.div(t.add(t.mul(a, 3), 2), 4))),
  where: xy((a, b) => t.where(t.less(a, 0.3), t.mul(a, 2), b)),
  'where, scalar': x((a) => t.where(t.greater(a, 0), a, 0.5)),
  'mask as number': x((a) => t.mul(a, t.toFloat(t.greater(a, 0)))),
  matmul: {
    shapes: [
      [3, 4],
      [4, 5],
    ],
    build: (a, b) => t.matmul(a, b),
  },
  'matmul, first transposed': {
    shapes: [
      [4, 3],
      [4, 5],
    ],
    build: (a, b) => t.matmul(a, b, { transposeA: true }),
  },
  'matmul, second transposed': {
    shapes: [
      [3, 4],
      [5, 4],
    ],
    build: (a, b) => t.matmul(a, b, { transposeB: true }),
  },
  'matmul, both transposed': {
    shapes: [
      [4, 3],
      [5, 4],
    ],
    build: (a, b) => t.matmul(a, b, { transposeA: true, transposeB: true }),
  },
  'matmul of the patches of a picture that lies behind other numbers': {
    shapes: [
      [3, 33],
      [4, 3],
    ],
    build: (x, w) => {
      const picture = t.reshape(t.slice(x, 1, 1, 33), [3, 2, 2, 4, 2, 1]);
      return t.matmul(t.reshape(t.transpose(picture, [0, 1, 3, 2, 4, 5]), [24, 4]), w);
    },
  },
  'matmul, batched': {
    shapes: [
      [2, 3, 4],
      [2, 4, 2],
    ],
    build: (a, b) => t.matmul(a, b),
  },
  'matmul, batched, second transposed': {
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    build: (a, b) => t.matmul(a, b, { transposeB: true }),
  },
  'matmul, broadcast batch': {
    shapes: [
      [2, 3, 4],
      [4, 2],
    ],
    build: (a, b) => t.matmul(a, b),
  },
  'matmul and bias': { shapes: [[3, 4], [4, 2], [2]], build: (a, b, c) => t.add(t.matmul(a, b), c) },
  'two products added': {
    shapes: [
      [3, 4],
      [4, 2],
      [3, 5],
      [5, 2],
    ],
    build: (a, b, c, d) => t.relu(t.add(t.matmul(a, b), t.matmul(c, d))),
  },
  'columns of a product': {
    shapes: [
      [3, 4],
      [4, 5],
    ],
    build: (a, b) => t.slice(t.matmul(a, b), 1, 1, 4),
  },
  'sum of all': x((a) => t.sum(t.square(a))),
  'sum over rows': x((a) => t.sum(t.square(a), { axes: [0] })),
  'sum over columns, kept': x((a) => t.sum(t.square(a), { axes: [-1], keepDims: true })),
  mean: x((a) => t.mean(t.square(a), { axes: [1] })),
  'mean of all': x((a) => t.mean(t.exp(a))),
  reduceMax: x((a) => t.reduceMax(a, { axes: [1] })),
  'reduceMax, kept': x((a) => t.sub(a, t.reduceMax(a, { axes: [0], keepDims: true }))),
  reshape: x((a) => t.mul(t.reshape(a, [2, -1]), t.reshape(a, [2, 6]))),
  expand: { shapes: [[3, 1]], build: (a) => t.exp(t.expand(a, [2, 3, 4])) },
  transpose: { shapes: [[2, 3, 4]], build: (a) => t.exp(t.transpose(a, [2, 0, 1])) },
  'transpose, last two': { shapes: [[2, 3, 4]], build: (a) => t.exp(t.transpose(a)) },
  concat: {
    shapes: [
      [3, 2],
      [3, 1],
      [3, 4],
    ],
    build: (a, b, c) => t.exp(t.concat([a, b, c], 1)),
  },
  'concat of rows': {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    build: (a, b) => t.exp(t.concat([a, b], 0)),
  },
  slice: x((a) => t.exp(t.slice(a, 1, 1, 3))),
  split: x((a) => t.split(a, 1, [1, 2, 1]).reduce((p, q) => t.add(p, t.mul(q, q)))),
  normalize: x((a) => t.normalize(a)),
  inverseDeviation: x((a) => t.inverseDeviation(a, 0.1)),
  'normalize, scale and offset': {
    shapes: [[3, 4], [4], [4]],
    build: (a, b, c) => t.relu(t.add(t.mul(t.normalize(a), b), c)),
  },
  softmax: x(t.softmax),
  logSoftmax: x(t.logSoftmax),
};

describe.each(Object.entries(cases))('%s', (_, c) => {
  test('has the gradient that central differences give', () => checkAgainstDifferences(c));
  test('is computed alike by every engine', () => checkEngines(c));
});

/** Every operation that can be stated: the compiler sees to it that none is missing here. */
const operations: Record<Exclude<Op['name'], 'sumOfProducts' | 'sumOfSquares'>, true> = {
  input: true,
  state: true,
  constant: true,
  neg: true,
  exp: true,
  log: true,
  tanh: true,
  sigmoid: true,
  softplus: true,
  relu: true,
  elu: true,
  sqrt: true,
  abs: true,
  sign: true,
  reciprocal: true,
  add: true,
  sub: true,
  mul: true,
  div: true,
  min: true,
  max: true,
  less: true,
  greater: true,
  equal: true,
  where: true,
  toFloat: true,
  pow: true,
  clip: true,
  reluGradient: true,
  stopGradient: true,
  matmul: true,
  sum: true,
  mean: true,
  reduceMax: true,
  reshape: true,
  expand: true,
  transpose: true,
  concat: true,
  slice: true,
  pad: true,
  normalize: true,
  inverseDeviation: true,
  softmax: true,
  logSoftmax: true,
};

test('these cases and their gradients take every operation that there is', () => {
  const taken = new Set(['state']);
  for (const c of Object.values(cases)) {
    const { loss, grads } = lossGraph(c);
    for (const { op } of reachable([loss, ...grads])) taken.add(op.name);
  }
  expect(Object.keys(operations).filter((name) => !taken.has(name))).toEqual([]);
});

test('no gradient flows through stopGradient', () => {
  checkAgainstDifferences(x((a) => t.mul(a, 2)));
  expect(() => checkAgainstDifferences(x((a) => t.mul(a, t.stopGradient(a))))).toThrow();
});

test('second derivatives', () => {
  checkAgainstDifferences(
    x((a) => {
      const [first] = gradients(t.sum(t.mul(t.tanh(a), t.exp(a))), [a]);
      return first;
    }),
  );
});

test('what the loss does not depend on has a gradient of zeros', () => {
  checkAgainstDifferences({ shapes: [[2], [3]], build: (a) => t.square(a) });
});

test.each(enginesHere)('softplus neither overflows nor loses its tail on %s', async (engine) => {
  const g = new Graph();
  const a = g.input('a', [4]);
  g.step('run', [], { y: t.softplus(a), slope: gradients(t.sum(t.softplus(a)), [a])[0] });
  const program = await compile(g, { engine });
  const { y, slope } = await program.run('run', { a: Float32Array.of(-100, -20, 30, 1000) });
  expect(y[0]).toBeLessThan(1e-40);
  expect(y[1] / Math.exp(-20)).toBeCloseTo(1, 5);
  expect([...y.subarray(2)]).toEqual([30, 1000]);
  expect(slope[3]).toBe(1);
  await program.dispose();
});

test('gradients of something that is no scalar are refused', () => {
  const g = new Graph();
  const a = g.input('a', [2, 3]);
  expect(() => gradients(t.exp(a), [a])).toThrow(ShapeError);
});
