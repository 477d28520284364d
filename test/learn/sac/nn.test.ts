import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { adam, batchNormLinear, DropoutMask, linear, mlp, Pass } from '../../../src/learn/nn/index.js';
import {
  add,
  compile,
  div,
  Graph,
  gradients,
  matmul,
  mean,
  mul,
  ParameterLayout,
  sqrt,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../../src/tensor/index.js';
import { enginesHere } from '../../tensor/engines.js';
import { expectClose, values } from '../../tensor/support.js';
import { normals } from './support.js';

test.each(enginesHere)(
  'Adam on %s takes the steps that its paper states, from the first one on',
  async (engine) => {
    const g = new Graph();
    const x = g.state('x', [3]);
    const gradient = g.input('gradient', [3]);
    g.step('step', adam(g, x, gradient, { learningRate: 0.01 }).updates, {});
    const program = await compile(g, { engine });
    const start = Float32Array.of(1, -1, 0.5);
    program.setState('x', start);
    const expected = Float64Array.from(start);
    const m = [0, 0, 0];
    const v = [0, 0, 0];
    const random = new Random(1);
    for (let t = 1; t <= 1000; t++) {
      const gradients = Float32Array.of(
        random.normal(),
        1e-4 * random.normal(),
        1e-7 * (1 + random.normal()),
      );
      await program.run('step', { gradient: gradients });
      for (let i = 0; i < 3; i++) {
        m[i] = 0.9 * m[i] + 0.1 * gradients[i];
        v[i] = 0.999 * v[i] + 0.001 * gradients[i] ** 2;
        expected[i] -= (0.01 * m[i]) / (1 - 0.9 ** t) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
      }
      if (t === 1 || t === 10 || t === 1000) {
        // Relative to how far it has gone: float32 rounds each of t additions to x.
        program.getState('x').forEach((value, i) => {
          expect(Math.abs(value - expected[i])).toBeLessThan(
            1e-5 * Math.abs(expected[i] - start[i]) + 6e-8 * t ** 0.5,
          );
        });
      }
    }
    expect(Math.abs(expected[1] - start[1])).toBeGreaterThan(0.01);
  },
);

test('dropout masks drop at their rate, independently, and keep the mean', () => {
  const mask = new DropoutMask(new Float32Array(100_000), 0.1);
  const random = new Random(3);
  for (let draw = 0; draw < 3; draw++) {
    mask.draw(random);
    const dropped = mask.values.filter((x) => x === 0).length;
    // Five standard deviations of a binomial.
    expect(Math.abs(dropped - 10_000)).toBeLessThan(5 * Math.sqrt(100_000 * 0.1 * 0.9));
    const neighbours = mask.values.filter((x, i) => x === 0 && mask.values[i + 1] === 0).length;
    expect(Math.abs(neighbours - 1000)).toBeLessThan(5 * Math.sqrt(1000));
    expect(mask.values.every((x) => x === 0 || x === Math.fround(1 / 0.9))).toBe(true);
  }
});

test('a mask depends on the random state alone, not on what was drawn before', () => {
  const [fresh, used] = [
    new DropoutMask(new Float32Array(1000), 0.05),
    new DropoutMask(new Float32Array(1000), 0.05),
  ];
  used.draw(new Random(1));
  fresh.draw(new Random(2));
  used.draw(new Random(2));
  expect(used.values).toEqual(fresh.values);
});

test.each(enginesHere)(
  'batch norm on %s normalises by the batch while learning, by what it has learnt afterwards',
  async (engine) => {
    const g = new Graph();
    const norm = batchNormLinear('norm', 'layer', 2, 2, 0.1);
    const parameters = new ParameterLayout(norm.parameters);
    const statistics = new ParameterLayout(norm.statistics ?? []);
    const p = parameters.views(g.state('p', [parameters.size]));
    const running = g.state('running', [statistics.size]);
    const x = g.input('x', [64, 2]);
    const learning = new Pass(g, 'learning', statistics.views(running), true);
    const y = norm.apply(p, x, learning);
    g.step('learn', [[running, statistics.flatten(learning.statistics)]], { y });
    g.step('use', [], { y: norm.apply(p, x, new Pass(g, 'use', statistics.views(running))) });
    const program = await compile(g, { engine });
    const random = new Random(1);
    // The layer behind it hands on what it is given.
    const start = parameters.initialise(random);
    const { 'layer.weight': weight, 'layer.bias': bias } = parameters.cut(start);
    weight.set([1, 0, 0, 1]);
    bias.fill(0);
    program.setState('p', start);
    program.setState('running', statistics.initialise(random));
    const batch = () => normals(random, 128).map((v, i) => (i % 2 ? 10 + 3 * v : v - 2));
    const moments = (values: Float32Array, column: number) => {
      const own = [...values].filter((_, i) => i % 2 === column);
      const mean = own.reduce((s, v) => s + v, 0) / own.length;
      return { mean, variance: own.reduce((s, v) => s + (v - mean) ** 2, 0) / own.length };
    };
    for (let i = 0; i < 100; i++) {
      const out = await program.run('learn', { x: batch() });
      expect(moments(out.y, 1).mean).toBeCloseTo(0, 4);
      expect(moments(out.y, 1).variance).toBeCloseTo(1, 2);
    }
    const { 'norm.mean': mean, 'norm.variance': variance } = statistics.cut(program.getState('running'));
    expect(mean[0]).toBeCloseTo(-2, 0);
    expect(mean[1]).toBeCloseTo(10, 0);
    expect(Math.sqrt(variance[1])).toBeCloseTo(3, 0);
    const single = new Float32Array(128).fill(10);
    const out = await program.run('use', { x: single });
    expect(out.y[1]).toBeCloseTo((10 - mean[1]) / Math.sqrt(variance[1] + 1e-3), 4);
  },
);

test('batch norm taken into the layer behind it has the values and gradients of one before it', async () => {
  const g = new Graph();
  const norm = batchNormLinear('norm', 'layer', 5, 3);
  const parameters = new ParameterLayout(norm.parameters);
  const flat = g.input('p', [parameters.size]);
  const x = g.input('x', [16, 5]);
  const p = parameters.views(flat);
  const statistics = { 'norm.mean': g.constant(0), 'norm.variance': g.constant(1) };
  const folded = norm.apply(p, x, new Pass(g, 'folded', statistics, true));
  const centred = sub(x, mean(x, { axes: [0] }));
  const variance = mean(mul(centred, centred), { axes: [0] });
  const scaled = mul(div(centred, sqrt(add(variance, 1e-3))), p['norm.scale']);
  const plain = add(matmul(add(scaled, p['norm.offset']), p['layer.weight']), p['layer.bias']);
  const results = (y: Tensor) => [y, ...gradients(sum(mul(y, tanh(y))), [flat, x])];
  g.step('run', [], {
    ...Object.fromEntries(results(folded).map((r, i) => [`folded ${i}`, r])),
    ...Object.fromEntries(results(plain).map((r, i) => [`plain ${i}`, r])),
  });
  const program = await compile(g, { engine: 'reference' });
  const out = await program.run('run', { p: values(1, [parameters.size]), x: values(2, [16, 5], -1, 5) });
  for (let i = 0; i < 3; i++) expectClose(out[`folded ${i}`], out[`plain ${i}`], 1e-6, `${i}`);
});

test('weights start uniform in ± 1 / √inputs', () => {
  const values = new ParameterLayout(linear('l', 25, 400).parameters).initialise(new Random(1));
  expect(Math.max(...values)).toBeLessThan(0.2);
  expect(Math.max(...values)).toBeGreaterThan(0.195);
  expect(Math.min(...values)).toBeLessThan(-0.195);
  expect(values.reduce((s, v) => s + v, 0) / values.length).toBeCloseTo(0, 2);
});

test('a network names its parameters layer by layer', () => {
  const names = (norm: 'none' | 'layer' | 'batch') =>
    mlp('q', [3, 4, 1], { activation: 'relu', norm }).parameters.map((p) => `${p.name} [${p.shape}]`);
  expect(names('none')).toEqual(['q.0.weight [3,4]', 'q.0.bias [4]', 'q.1.weight [4,1]', 'q.1.bias [1]']);
  expect(names('layer')).toContain('q.0.scale [4]');
  expect(names('batch')).toEqual(expect.arrayContaining(['q.input.scale [3]', 'q.0.offset [4]']));
});
