import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeModel, encodeModel } from '../../src/onnx/bytes.js';
import type { OnnxModel, OnnxTensor } from '../../src/onnx/model.js';

const finite = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
const tensor = fc
  .array(fc.float({ noNaN: true }), { maxLength: 6 })
  .chain((data) =>
    fc.constantFrom<OnnxTensor[]>(
      { name: 'f', type: 'float32', dims: [data.length], data: Float32Array.from(data) },
      { name: 'i', type: 'int64', dims: [1, 2], data: BigInt64Array.of(-1n, 1n << 40n) },
      { name: 'b', type: 'bool', dims: [3], data: Uint8Array.of(0, 1, 1) },
      { name: 'd', type: 'float64', dims: [], data: Float64Array.of(Math.PI) },
    ),
  );
const attribute = fc.oneof(
  fc.record({ type: fc.constant('float' as const), value: fc.float({ noNaN: true }) }),
  fc.record({ type: fc.constant('int' as const), value: finite }),
  fc.record({ type: fc.constant('string' as const), value: fc.string({ unit: 'grapheme' }) }),
  fc.record({ type: fc.constant('ints' as const), value: fc.array(finite) }),
  fc.record({ type: fc.constant('floats' as const), value: fc.array(fc.float({ noNaN: true })) }),
  fc.record({ type: fc.constant('strings' as const), value: fc.array(fc.string()) }),
  fc.record({ type: fc.constant('tensor' as const), value: tensor }),
);
const name = fc.string({ minLength: 1 });
const info = fc.record({
  name,
  type: fc.constantFrom('float32' as const, 'int64' as const),
  shape: fc.array(fc.oneof(fc.integer({ min: 1, max: 2 ** 40 }), name), { maxLength: 4 }),
});
const node = fc.record({
  name: fc.string(),
  opType: name,
  domain: fc.string(),
  inputs: fc.array(fc.string()),
  outputs: fc.array(name),
  attributes: fc.dictionary(
    name.filter((n) => n !== '__proto__'),
    attribute,
    { noNullPrototype: true },
  ),
});
const model: fc.Arbitrary<OnnxModel> = fc.record({
  irVersion: fc.integer({ min: 1, max: 20 }),
  producer: fc.string(),
  opsets: fc.constantFrom<Record<string, number>>({ '': 18 }, { '': 17, 'com.microsoft': 1 }),
  metadata: fc.constantFrom<Record<string, string>>({}, { robot: 'quadruped', empty: '' }),
  graph: fc.record({
    name: fc.string(),
    nodes: fc.array(node, { maxLength: 3 }),
    initializers: fc.array(tensor, { maxLength: 3 }),
    inputs: fc.array(info, { maxLength: 2 }),
    outputs: fc.array(info, { maxLength: 2 }),
  }),
});

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(model, (m) => {
      expect(decodeModel(encodeModel(m))).toEqual(m);
    }),
  );
});

const small: OnnxModel = {
  irVersion: 8,
  producer: '',
  opsets: { '': 18 },
  metadata: {},
  graph: {
    name: 'g',
    nodes: [{ name: 'n', opType: 'Relu', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
    initializers: [{ name: 'w', type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    inputs: [{ name: 'x', type: 'float32', shape: ['batch', 2] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['batch', 2] }],
  },
};

test('a file that was cut short anywhere is refused', () => {
  const bytes = encodeModel(small);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeModel(bytes.subarray(0, length)), `${length} bytes`).toThrow(/cut short/);
  }
});

test('what is not ONNX is refused', () => {
  for (const text of ['', 'hello, this is no model', '{"robot": "quadruped"}', '\u0000\u0000\u0000']) {
    expect(() => decodeModel(new TextEncoder().encode(text))).toThrow(/not an ONNX model/);
  }
});

test('a tensor whose data do not fill its dimensions is refused', () => {
  const [w] = small.graph.initializers;
  const damaged = { ...small, graph: { ...small.graph, initializers: [{ ...w, dims: [2, 3] }] } };
  expect(() => decodeModel(encodeModel(damaged))).toThrow('"w" [2,3] needs 6 elements and has 4');
});
