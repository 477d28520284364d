import ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { decodeModel } from '../../src/onnx/bytes.js';
import { exportOnnx, Graph, ParameterLayout } from '../../src/tensor/index.js';
import * as t from '../../src/tensor/operations.js';
import { values } from './support.js';

const zeros = () => {};

function network() {
  const g = new Graph();
  const layout = new ParameterLayout([
    { name: 'weight', shape: [3, 4], initialise: zeros },
    { name: 'bias', shape: [4], initialise: zeros },
    { name: 'unused', shape: [7], initialise: zeros },
  ]);
  const views = layout.views(g.state('all', [layout.size]));
  const x = g.input('x', [1, 3]);
  const y = t.tanh(t.add(t.matmul(t.normalize(x), views.weight), views.bias));
  return { g, layout, views, x, y };
}

test('an exported computation has its parameters baked in and takes any batch', async () => {
  const { layout, views, x, y } = network();
  const flat = values(1, [layout.size]);
  const cut = layout.cut(flat);
  const parameters = Object.fromEntries(
    Object.entries(views).map(([id, tensor]) => [id, { tensor, values: cut[id] }]),
  );
  const options = { name: 'net', inputs: { x }, outputs: { y, twice: t.mul(y, 2), same: y }, parameters };
  const bytes = exportOnnx({ ...options, dynamicBatch: true, metadata: { robot: 'quadruped' } });

  const model = decodeModel(bytes);
  expect(model.metadata).toEqual({ robot: 'quadruped' });
  expect(model.opsets).toEqual({ '': 18 });
  expect(model.graph.inputs).toEqual([{ name: 'x', type: 'float32', shape: ['batch', 3] }]);
  expect(model.graph.outputs.map((o) => o.name)).toEqual(['y', 'twice', 'same']);
  const names = model.graph.initializers.map((i) => i.name);
  expect(names).toContain('weight');
  expect(names).not.toContain('unused');
  expect(model.graph.initializers.find((i) => i.name === 'bias')?.data).toEqual(flat.slice(12, 16));

  const session = await ort.InferenceSession.create(bytes);
  for (const batch of [1, 5]) {
    const given = values(batch, [batch, 3]);
    const out = await session.run({ x: new ort.Tensor('float32', given, [batch, 3]) });
    expect(out.y.dims).toEqual([batch, 4]);
    for (let i = 0; i < batch; i++) {
      const row = [...given.subarray(3 * i, 3 * i + 3)];
      const mean = (row[0] + row[1] + row[2]) / 3;
      const deviation = Math.sqrt(row.reduce((s, v) => s + (v - mean) ** 2, 0) / 3 + 1e-5);
      for (let j = 0; j < 4; j++) {
        const sum = row.reduce(
          (s, v, k) => s + ((v - mean) / deviation) * cut.weight[4 * k + j],
          cut.bias[j],
        );
        expect((out.y.data as Float32Array)[4 * i + j]).toBeCloseTo(Math.tanh(sum), 5);
        expect((out.twice.data as Float32Array)[4 * i + j]).toBeCloseTo(2 * Math.tanh(sum), 5);
      }
    }
  }
});

test('a state that is not baked in is named', () => {
  const { x, y } = network();
  expect(() => exportOnnx({ name: 'net', inputs: { x }, outputs: { y }, parameters: {} })).toThrow(
    'state "all"',
  );
});
