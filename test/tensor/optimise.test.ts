import { describe, expect, test } from 'vitest';
import { sacConfig } from '../../src/learn/sac/index.js';
import { sacGraph } from '../../src/learn/sac/sac.js';
import { reachable } from '../../src/tensor/graph.js';
import { Graph, gradients, type Tensor } from '../../src/tensor/index.js';
import { isView } from '../../src/tensor/native/fuse.js';
import * as t from '../../src/tensor/operations.js';
import { optimise, type PassName, passNames } from '../../src/tensor/optimise/index.js';
import { ReferenceEngine } from '../../src/tensor/reference.js';
import { expectClose, values } from './support.js';

/** Operations that the steps of a graph need. */
function operations(g: Graph): Tensor[] {
  const steps = [...g.steps.values()];
  return reachable(steps.flatMap((s) => [...s.updates.values(), ...Object.values(s.outputs)]));
}

const counted = (g: Graph, name: string) => operations(g).filter((x) => x.op.name === name).length;

/** A graph of one step, before and after a single pass. */
function passed(
  pass: PassName,
  build: (g: Graph) => Record<string, Tensor>,
): { before: Graph; after: Graph } {
  const before = new Graph();
  before.step('run', [], build(before));
  return {
    before,
    after: optimise(
      before,
      passNames.filter((name) => name !== pass),
    ),
  };
}

async function expectSame(before: Graph, after: Graph): Promise<void> {
  const inputs = Object.fromEntries(
    [...before.inputs].map(([id, { shape }], i) => [id, values(i + 1, shape, 0.3, 2)]),
  );
  const run = async (g: Graph) => {
    const program = await new ReferenceEngine().compile(g);
    for (const [i, [id, { shape }]] of [...g.states].entries())
      program.setState(id, values(i + 50, shape, 0.01, 0.2));
    const results: Record<string, Float32Array> = {};
    for (const step of g.steps.keys())
      for (const [id, v] of Object.entries(await program.run(step, inputs))) results[`${step} ${id}`] = v;
    for (const id of g.states.keys()) results[id] = program.getState(id);
    return results;
  };
  const [expected, got] = [await run(before), await run(after)];
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [id, v] of Object.entries(expected)) expectClose(got[id], v, 1e-6, id);
}

test('common subexpressions: a + b and b + a are one', async () => {
  const { before, after } = passed('commonSubexpressions', (g) => {
    const [a, b] = [g.input('a', [3]), g.input('b', [3])];
    return { y: t.mul(t.exp(t.add(a, b)), t.exp(t.add(b, a))) };
  });
  expect([counted(before, 'add'), counted(after, 'add')]).toEqual([2, 1]);
  expect([counted(before, 'exp'), counted(after, 'exp')]).toEqual([2, 1]);
  await expectSame(before, after);
});

test('constant folding: what depends on constants alone, and what changes nothing', async () => {
  const { before, after } = passed('constantFolding', (g) => {
    const a = g.input('a', [2, 3]);
    const weights = t.exp(t.mul(g.constant([1, 2, 3], [3]), 0.5));
    return { y: t.mul(t.add(a, t.sub(g.constant(1), 1)), weights), z: t.sub(a, g.constant([0, 0, 0], [3])) };
  });
  expect(
    operations(after)
      .map((x) => x.op.name)
      .sort(),
  ).toEqual(['constant', 'input', 'mul']);
  await expectSame(before, after);
});

test('dead code: gradients of slices are joined, not padded and added; parts of joined tensors are taken', async () => {
  const { before, after } = passed('deadCode', (g) => {
    const a = g.input('a', [2, 5]);
    const [left, right] = t.split(a, 1, [2, 3]);
    const joint = t.concat([t.exp(left), t.tanh(right)], 1);
    const loss = t.sum(t.mul(t.sum(t.square(left)), t.sum(t.exp(right))));
    return { y: t.slice(joint, 1, 3, 5), g: gradients(loss, [a])[0] };
  });
  expect([counted(before, 'pad'), counted(after, 'pad')]).toEqual([2, 0]);
  // Nobody asks for the first part any more.
  expect(counted(before, 'exp')).toBe(counted(after, 'exp') + 1);
  await expectSame(before, after);
});

test('products: of a column and a row is none, and a transposed operand is read so', async () => {
  const { before, after } = passed('products', (g) => {
    const [a, b, c] = [g.input('a', [4, 1]), g.input('b', [5, 1]), g.input('c', [5, 4])];
    return { y: t.matmul(a, b, { transposeB: true }), z: t.matmul(t.transpose(c), b) };
  });
  expect([counted(before, 'matmul'), counted(after, 'matmul')]).toEqual([2, 1]);
  expect(counted(after, 'transpose')).toBe(0);
  await expectSame(before, after);
});

test('centred sums: the gradient of a mean needs no sum that waits for the variance', async () => {
  const { before, after } = passed('centredSums', (g) => {
    const [x, scale, offset] = [g.input('x', [6, 3]), g.input('scale', [3]), g.input('offset', [3])];
    const centred = t.sub(x, t.mean(x, { axes: [0] }));
    const deviation = t.sqrt(t.add(t.mean(t.square(centred), { axes: [0] }), 1e-3));
    const y = t.exp(t.add(t.mul(centred, t.div(scale, deviation)), offset));
    return { y, ...Object.fromEntries(gradients(t.sum(y), [x, scale, offset]).map((d, i) => [`d${i}`, d])) };
  });
  // Left are the sum over everything, and those for offset and scale.
  expect([counted(before, 'sum'), counted(after, 'sum')]).toEqual([3, 2]);
  await expectSame(before, after);
});

describe.each(['sac', 'droq', 'crossq'])('the step of %s', (preset) => {
  const stated = () => {
    const g = new Graph();
    sacGraph(g, 3, 2, sacConfig(preset, { batch: 4, critic_hidden: [5, 6], actor_hidden: [6, 5] }));
    return g;
  };

  test.each(passNames)('gives the same results with and without %s', async (pass) => {
    await expectSame(optimise(stated(), [pass]), optimise(stated()));
  });

  test('gives the same results optimised, in fewer operations', async () => {
    await expectSame(stated(), optimise(stated()));
    const computed = (g: Graph) => operations(g).filter((x) => !isView(x.op)).length;
    expect(computed(optimise(stated()))).toBeLessThan(computed(stated()));
  });
});
