import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mlp, Pass } from '../../src/learn/nn/index.js';
import { Graph, ParameterLayout, ShapeError } from '../../src/tensor/index.js';
import * as t from '../../src/tensor/operations.js';
import { checkAgainstDifferences, checkEngines } from './support.js';

const g = new Graph();
const a = g.input('a', [2, 3]);
const b = g.input('b', [4]);
const x = g.state('x', [2]);

describe('a mistake names the operation, the shapes and the line that made it', () => {
  const mistakes: [string, () => unknown, string][] = [
    ['add', () => t.add(a, b), 'add: [2, 3] and [4] do not broadcast'],
    ['matmul', () => t.matmul(a, a), 'matmul: [2, 3] and [2, 3] cannot be multiplied'],
    ['matmul of a vector', () => t.matmul(a, b), 'matmul: [2, 3] and [4] cannot be multiplied'],
    [
      'matmul transposed',
      () => t.matmul(a, a, { transposeA: true, transposeB: true }),
      'matmul: [2, 3] and [2, 3] cannot be multiplied (first transposed, second transposed)',
    ],
    [
      'reshape',
      () => t.reshape(a, [4, -1]),
      'reshape: [2, 3] and [4, -1] do not hold the same number of elements',
    ],
    ['expand', () => t.expand(a, [3, 3]), 'expand: [2, 3] and [3, 3] do not broadcast'],
    ['sum', () => t.sum(a, { axes: [2] }), 'sum: [2, 3] has no axes [2]'],
    [
      'concat',
      () => t.concat([a, t.transpose(a)], 0),
      'concat: [2, 3] and [3, 2] differ elsewhere than along axis 0',
    ],
    ['slice', () => t.slice(a, 1, 2, 5), 'slice: [2, 3] has no elements 2 up to 5 along axis 1'],
    ['split', () => t.split(a, 1, [1, 1]), 'split: [2, 3] is not 1 + 1 long along axis 1'],
    ['transpose', () => t.transpose(a, [0, 0]), 'transpose: [2, 3] has no axes [0, 0]'],
    ['softmax', () => t.softmax(g.constant(1)), 'softmax: [] has no last axis'],
    ['constant', () => g.constant([1, 2], [3]), 'constant: [3] does not hold 2 values'],
    ['state update', () => g.step('s', [[x, b]], {}), 'new value of state "x": [4] and [2] differ'],
  ];
  test.each(mistakes)('%s', (_, make, message) => {
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(message);
  });

  test('with this file as the place', () => {
    expect(() => t.add(a, b)).toThrow(/\(at .*test\/tensor\/shape\.test\.[jt]s:\d+:\d+\)$/);
  });
});

test('a mistake inside a layer names the layer, and the line of the learner that built it', () => {
  const graph = new Graph();
  const network = mlp('q', [3, 4, 1], { activation: 'relu' });
  const layout = new ParameterLayout(network.parameters);
  const parameters = layout.views(graph.state('p', [layout.size]));
  const tooWide = graph.input('observation', [2, 5]);
  expect(() => network.apply(parameters, tooWide, new Pass(graph, 'test'))).toThrow(
    /^matmul: \[2, 5\] and \[3, 4\] cannot be multiplied \(at .*nn\/layers\.[jt]s:\d+:\d+, from .*test\/tensor\/shape\.test\.[jt]s:\d+:\d+\)$/,
  );
});

test('outside of a test runner the lines are those of the sources', () => {
  const script = `
    import { Graph } from '${new URL('../../src/tensor/index.js', import.meta.url)}';
    import { sacGraph } from '${new URL('../../src/learn/sac/sac.js', import.meta.url)}';
    import { sacConfig } from '${new URL('../../src/learn/sac/index.js', import.meta.url)}';
    const config = sacConfig('sac');
    const g = new Graph();
    try { sacGraph(g, 3, 2, { ...config, batch: 2.5 }) } catch (error) { console.log(error.message) }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stdout).toMatch(
    /^input "observation": \[2\.5, 3\] is not a shape \(at .*src\/learn\/sac\/sac\.ts:\d+:\d+/,
  );
});

test('what was made twice is one tensor', () => {
  expect(t.add(t.exp(a), 1)).toBe(t.add(t.exp(a), 1));
  expect(t.clip(a, 0, Number.POSITIVE_INFINITY)).not.toBe(t.clip(a, 0, Number.NaN));
});

test('a mask is no number and a number no mask', () => {
  expect(() => t.where(a, a, a)).toThrow(/not a mask/);
});

test('tensors of two graphs do not mix, names are taken once', () => {
  expect(() => t.add(a, new Graph().input('a', [2, 3]))).toThrow(/another graph/);
  expect(() => g.input('a', [1])).toThrow(/already/);
});

/** Two shapes that broadcast together: some axes of length 1 in either, leading ones missing in one. */
const broadcastable = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('both', 'left', 'right')), { maxLength: 3 })
  .chain((axes) =>
    fc.record({
      left: fc.constant(axes.map(([d, keep]) => (keep === 'right' ? 1 : d))),
      right: fc.constant(axes.map(([d, keep]) => (keep === 'left' ? 1 : d))),
      drop: fc.integer({ min: 0, max: axes.length }),
    }),
  );

describe('shapes that broadcast', () => {
  const build = (p: t.Operand, q: t.Operand) => t.mul(t.add(p, q), t.max(q, t.sub(t.mul(p, 2), q)));

  test('have gradients of their own shapes, that central differences confirm', () => {
    fc.assert(
      fc.property(broadcastable, ({ left, right, drop }) => {
        checkAgainstDifferences({ shapes: [left, right.slice(drop)], build });
        checkAgainstDifferences({ shapes: [left.slice(drop), right], build });
      }),
      { numRuns: 100 },
    );
  });

  test('are computed alike by every engine', async () => {
    await fc.assert(
      fc.asyncProperty(broadcastable, ({ left, right, drop }) =>
        checkEngines({ shapes: [left, right.slice(drop)], build }),
      ),
      { numRuns: 25 },
    );
  });
});
