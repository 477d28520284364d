import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { compile, Graph, mul, ParameterLayout, ShapeError, square, sum } from '../../src/tensor/index.js';

const fill = (value: number) => (values: Float32Array) => {
  values.fill(value);
};
const noise = (values: Float32Array, random: Random) => random.fillUniform(values, -1, 1);

const layout = new ParameterLayout([
  { name: 'a', shape: [2, 3], initialise: fill(1) },
  { name: 'b', shape: [], initialise: fill(2) },
  { name: 'c', shape: [4], initialise: noise },
]);

test('parameters lie one after the other', () => {
  expect(layout.size).toBe(11);
  expect(layout.entries.map(({ name, offset, size }) => [name, offset, size])).toEqual([
    ['a', 0, 6],
    ['b', 6, 1],
    ['c', 7, 4],
  ]);
  const flat = layout.initialise(new Random(1));
  expect([...flat.subarray(0, 7)]).toEqual([1, 1, 1, 1, 1, 1, 2]);
  expect(layout.cut(flat).c).toEqual(flat.slice(7));
  expect(layout.initialise(new Random(1))).toEqual(flat);
  expect(layout.initialise(new Random(2))).not.toEqual(flat);
});

test('the gradient is flat, in the same order', async () => {
  const g = new Graph();
  const flat = g.state('flat', [layout.size]);
  const { a, b, c } = layout.views(flat);
  const gradient = layout.gradient(sum(mul(sum(square(a)), mul(b, sum(c)))), { a, b, c });
  g.step('run', [], { gradient });
  const program = await compile(g);
  const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4);
  program.setState('flat', values);
  const out = await program.run('run', {});
  const [squares, b0, cs] = [91, 7, 10];
  const da = [1, 2, 3, 4, 5, 6].map((x) => 2 * x * b0 * cs);
  expect([...out.gradient]).toEqual([...da, squares * cs, ...new Array(4).fill(squares * b0)]);
});

test('names are taken once, and only a vector of the right length is cut', () => {
  const [entry] = layout.entries;
  expect(() => new ParameterLayout([entry, entry])).toThrow('two parameters are called "a"');
  expect(() => layout.views(new Graph().state('flat', [12]))).toThrow(ShapeError);
});
