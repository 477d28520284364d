import { describe, expect, test } from 'vitest';
import { compile, type EngineName, Graph, gradients } from '../../src/tensor/index.js';
import { lower } from '../../src/tensor/onnx/lower.js';
import * as t from '../../src/tensor/operations.js';
import { enginesHere } from './engines.js';
import { values } from './support.js';

describe.each<EngineName>([...enginesHere, 'reference'])('a program on engine %s', (engine) => {
  test('keeps its states from run to run, in a step and across steps', async () => {
    const g = new Graph();
    const x = g.input('x', [2]);
    const sum = g.state('sum', [2]);
    const count = g.state('count', []);
    g.step(
      'add',
      [
        [sum, t.add(sum, x)],
        [count, t.add(count, 1)],
      ],
      { before: sum, mean: t.div(sum, t.max(count, 1)) },
    );
    g.step('halve', [[sum, t.mul(sum, 0.5)]], { before: sum });
    const program = await compile(g, { engine });
    const run = async (step: string, ...x: number[]) => {
      const out = await program.run(step, { x: Float32Array.from(x) });
      return Object.fromEntries(Object.entries(out).map(([id, v]) => [id, [...v]]));
    };
    expect(await run('add', 1, 2)).toEqual({ before: [0, 0], mean: [0, 0] });
    expect(await run('add', 3, 4)).toEqual({ before: [1, 2], mean: [1, 2] });
    expect(await run('halve')).toEqual({ before: [4, 6] });
    expect(await run('add', 1, 1)).toEqual({ before: [2, 3], mean: [1, 1.5] });
    expect([...program.getState('sum')]).toEqual([3, 4]);
    expect([...program.getState('count')]).toEqual([3]);
    program.setState('sum', Float32Array.of(10, 20));
    expect(await run('halve')).toEqual({ before: [10, 20] });
    expect([...program.getState('sum')]).toEqual([5, 10]);
  });

  test('puts all new states in place together', async () => {
    const g = new Graph();
    const a = g.state('a', [1]);
    const b = g.state('b', [1]);
    g.step(
      'exchange',
      [
        [a, b],
        [b, a],
      ],
      {},
    );
    const program = await compile(g, { engine });
    program.setState('a', Float32Array.of(1));
    program.setState('b', Float32Array.of(2));
    await program.run('exchange', {});
    expect([program.getState('a')[0], program.getState('b')[0]]).toEqual([2, 1]);
  });

  test('says which input or state is wrong', async () => {
    const g = new Graph();
    g.step('run', [], { y: t.exp(g.input('x', [2])) });
    const program = await compile(g, { engine });
    await expect(program.run('run', {})).rejects.toThrow('input "x" [2] was not given');
    await expect(program.run('run', { x: new Float32Array(3) })).rejects.toThrow(
      '"x": [2] does not hold 3 values',
    );
    await expect(program.run('walk', {})).rejects.toThrow('no step "walk"; it has run');
    expect(() => program.getState('x')).toThrow('no state "x"');
  });
});

test.each(enginesHere)(
  'the same inputs give the same bits on %s, at one thread and at two',
  async (engine) => {
    for (const threads of [1, 2]) {
      const results: Float32Array[] = [];
      for (let i = 0; i < 2; i++) {
        const g = new Graph();
        const x = g.input('x', [64, 100]);
        const w = g.state('w', [100, 300]);
        const loss = t.mean(t.square(t.relu(t.matmul(x, w))));
        const [gw] = gradients(loss, [w]);
        g.step('descend', [[w, t.sub(w, gw)]], {});
        const program = await compile(g, { engine, threads });
        program.setState('w', values(1, [100, 300]));
        for (let k = 0; k < 10; k++) await program.run('descend', { x: values(k, [64, 100]) });
        results.push(program.getState('w'));
      }
      expect(results[0]).toEqual(results[1]);
      expect(results[0]).not.toEqual(values(1, [100, 300]));
    }
  },
);

test('dead code is not lowered, and a product takes its bias in', () => {
  const g = new Graph();
  const x = g.input('x', [2, 3]);
  const w = g.input('w', [3, 4]);
  const b = g.input('b', [4]);
  t.exp(x);
  const y = t.relu(t.add(t.matmul(x, w), b));
  const given = new Map([
    [x, 'x'],
    [w, 'w'],
    [b, 'b'],
  ]);
  const { nodes } = lower({ given, wanted: [['y', y]] });
  expect(nodes.map((n) => n.opType)).toEqual(['Gemm', 'Relu']);
});
