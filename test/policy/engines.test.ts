import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { actorLayout, exportActor, sacConfig } from '../../src/learn/sac/index.js';
import { GaussianPolicy } from '../../src/policy/gaussian.js';
import { loadPolicy } from '../../src/policy/inference.js';
import type { Manifest } from '../../src/policy/manifest.js';
import { Network } from '../../src/policy/network.js';
import { fastestProducts, productEngines } from '../../src/policy/products.js';
import { exportOnnx, Graph } from '../../src/tensor/index.js';
import * as t from '../../src/tensor/operations.js';
import { contents, model, node, onnx } from './example.js';

const engines = productEngines();
const OBSERVATION = 5;
const STATE = 7;

const sums = (g: Graph, x: t.Operand, name: string, inputs: number) =>
  t.matmul(x as never, g.state(name, [inputs, STATE]));

/** A gated recurrent unit (Cho et al., 2014) and an action of its state, as a file. */
function recurrent(): Uint8Array {
  const g = new Graph();
  const x = g.input('observation', [1, OBSERVATION]);
  const h = g.input('h', [1, STATE]);
  const gate = (name: string, of = h) =>
    t.add(sums(g, x, `${name}.x`, OBSERVATION), sums(g, of, `${name}.h`, STATE));
  const [reset, update] = [t.sigmoid(gate('r')), t.sigmoid(gate('z'))];
  const candidate = t.tanh(gate('n', t.mul(reset, h)));
  const next = t.add(t.mul(update, h), t.mul(t.sub(1, update), candidate));
  const action = t.tanh(t.matmul(next, g.state('w', [STATE, 2])));
  const random = new Random(3);
  const parameters = Object.fromEntries(
    [...g.states].map(([id, tensor]) => {
      const values = new Float32Array(tensor.size);
      random.fillUniform(values, -0.5, 0.5);
      return [id, { tensor, values }];
    }),
  );
  const outputs = { action, 'h.next': next };
  return exportOnnx({ name: 'gru', inputs: { observation: x, h }, outputs, parameters, dynamicBatch: true });
}

const manifest: Manifest = {
  format: 1,
  ...structuredClone(contents.manifest),
  observation: [{ name: 'all', size: OBSERVATION, unit: '1' }],
  network: {
    file: 'policy.onnx',
    sha256: '0'.repeat(64),
    input: 'observation',
    outputs: { action: 'action' },
    state: [{ input: 'h', output: 'h.next', size: STATE }],
  },
};

describe.each(engines)('products by $name', (engine) => {
  it.each(['relu', 'elu'] as const)("give ONNX Runtime's answer for an actor with %s", async (activation) => {
    const config = sacConfig('sac', { activation, actor_hidden: [100, 64, 7] });
    const sizes = { observations: 46, actions: 12, config };
    const flat = new Float32Array(new GaussianPolicy(actorLayout(sizes)).network.parameters.length);
    new Random(5).fillUniform(flat, -0.12, 0.12);
    const bytes = exportActor(sizes, flat, {});
    const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    const network = new Network(bytes, 'policy.onnx', engine);
    const random = new Random(1);
    for (let trial = 0; trial < 20; trial++) {
      random.fillNormal(network.input);
      network.run();
      const observation = new ort.Tensor('float32', network.input.slice(), [1, 46]);
      const expected = await session.run({ observation });
      for (const [name, got] of network.outputs) {
        const data = expected[name].data as Float32Array;
        for (const [i, e] of data.entries()) expect(Math.abs(got[i] - e)).toBeLessThan(2e-6);
      }
    }
    await session.release();
  });

  it('carry a recurrent state from step to step, and none over a reset', async () => {
    const bytes = recurrent();
    const session = await ort.InferenceSession.create(bytes);
    const policy = loadPolicy({ manifest, onnx: bytes, path: '/here' }, engine);
    const random = new Random(1);
    const observation = new Float32Array(OBSERVATION);
    const action = new Float32Array(2);
    for (let episode = 0; episode < 2; episode++) {
      let h = new Float32Array(STATE);
      policy.reset();
      for (let step = 0; step < 10; step++) {
        random.fillNormal(observation);
        policy.act(observation, action);
        const expected = await session.run({
          observation: new ort.Tensor('float32', observation.slice(), [1, OBSERVATION]),
          h: new ort.Tensor('float32', h, [1, STATE]),
        });
        h = (expected['h.next'].data as Float32Array).slice();
        for (const [i, e] of (expected.action.data as Float32Array).entries())
          expect(Math.abs(action[i] - e)).toBeLessThan(2e-6);
      }
      expect(Math.hypot(...h)).toBeGreaterThan(0.1);
    }
    await session.release();
  });

  it('keep a result from before its activation where somebody else reads it', () => {
    const weight = { name: 'w', type: 'float32' as const, dims: [2, 2], data: Float32Array.of(1, 0, 0, -1) };
    const vector = (name: string) => ({ name, type: 'float32' as const, shape: ['batch', 2] });
    const bytes = model({
      nodes: [
        node('MatMul', ['x', 'w'], ['u']),
        node('Identity', ['u'], ['same']),
        node('Relu', ['same'], ['y']),
        node('Add', ['u', 'y'], ['z']),
      ],
      initializers: [weight],
      inputs: [vector('x')],
      outputs: [vector('z')],
    });
    const network = new Network(bytes, 'policy.onnx', engine);
    network.input.set([3, 5]);
    network.run();
    expect([...network.outputs.get('z')!]).toEqual([6, -5]);
  });
});

it('refuses a state that the file has not, or an input that the manifest does not name', () => {
  const load = (state: Manifest['network']['state'], bytes = recurrent()) =>
    loadPolicy({
      manifest: { ...manifest, network: { ...manifest.network, state } },
      onnx: bytes,
      path: '/here',
    });
  expect(() => load([{ input: 'h', output: 'memory', size: STATE }])).toThrow('state "memory" has no values');
  expect(() => load([{ input: 'c', output: 'h.next', size: STATE }])).toThrow('no input "c"; there are');
  expect(() => load([])).toThrow('1 of its inputs are not named in the manifest: observation, h');
  expect(() => load([], onnx)).toThrow("takes 3 values, the manifest's observation has 5");
});

it('measures which engine is fastest once in a process', () => {
  expect(engines.map((e) => e.name)).toContain(fastestProducts().name);
  expect(fastestProducts()).toBe(fastestProducts());
});
