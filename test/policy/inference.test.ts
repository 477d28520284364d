import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { actorLayout, exportActor, sacConfig } from '../../src/learn/sac/index.js';
import type { OnnxAttribute, OnnxGraph, OnnxTensor } from '../../src/onnx/model.js';
import { GaussianPolicy } from '../../src/policy/gaussian.js';
import { loadPolicy } from '../../src/policy/inference.js';
import type { Manifest } from '../../src/policy/manifest.js';
import { Network } from '../../src/policy/network.js';
import { contents, model, node, onnx } from './example.js';

const manifest: Manifest = {
  format: 1,
  ...structuredClone(contents.manifest),
  network: { file: 'policy.onnx', sha256: '0'.repeat(64), ...contents.manifest.network },
};

/** The greatest absolute difference to ONNX Runtime over random inputs and all outputs of the file. */
async function differenceToOnnxRuntime(bytes: Uint8Array, inputName: string, trials = 20): Promise<number> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const network = new Network(bytes, 'policy.onnx');
  const random = new Random(1);
  let worst = 0;
  for (let trial = 0; trial < trials; trial++) {
    random.fillNormal(network.input);
    network.run();
    const input = new ort.Tensor('float32', network.input.slice(), [1, network.input.length]);
    const expected = await session.run({ [inputName]: input });
    for (const [name, got] of network.outputs) {
      const data = expected[name].data as Float32Array;
      expect(got.length).toBe(data.length);
      data.forEach((e, i) => {
        worst = Math.max(worst, Math.abs(got[i] - e));
      });
    }
  }
  await session.release();
  return worst;
}

describe("the exported actor of SAC, against ONNX Runtime's answer", () => {
  it.each(['relu', 'tanh', 'elu', 'silu'] as const)('with %s differs by at most 2e-6', async (activation) => {
    const config = sacConfig('sac', { activation });
    const sizes = { observations: 46, actions: 12, config };
    const layout = actorLayout(sizes);
    const policy = new GaussianPolicy(layout);
    const flat = new Float32Array(policy.network.parameters.length);
    new Random(5).fillUniform(flat, -0.12, 0.12);
    const bytes = exportActor(sizes, flat, {});
    expect(await differenceToOnnxRuntime(bytes, 'observation')).toBeLessThan(2e-6);

    // The rollout workers' network is the same function.
    policy.setParameters(flat);
    const loaded = loadPolicy({
      manifest: {
        ...manifest,
        observation: [{ name: 'all', size: 46, unit: '1' }],
        action: { kind: 'residual', centre_rad: Array(12).fill(0), scale_rad: Array(12).fill(1) },
        network: { ...manifest.network, outputs: { action: 'action', mean: 'mean', log_std: 'log_std' } },
      },
      onnx: bytes,
      path: '.',
    });
    const observation = new Float32Array(46);
    new Random(6).fillNormal(observation);
    const [a, b] = [new Float32Array(12), new Float32Array(12)];
    for (const explore of [undefined, 1, 0.3]) {
      policy.act(
        observation,
        a,
        explore === undefined ? undefined : { random: new Random(8), scale: explore },
      );
      loaded.act(
        observation,
        b,
        explore === undefined ? undefined : { random: new Random(8), scale: explore },
      );
      a.forEach((x, i) => {
        expect(Math.abs(x - b[i])).toBeLessThan(2e-6);
      });
    }
  });
});

const random = new Random(11);
const float = (name: string, ...dims: number[]): OnnxTensor => {
  const data = new Float32Array(dims.reduce((n, d) => n * d, 1));
  random.fillUniform(data, -1, 1);
  return { name, type: 'float32', dims, data };
};
const scalar = (name: string, value: number): OnnxTensor => ({
  name,
  type: 'float32',
  dims: [],
  data: Float32Array.of(value),
});
const ints = (name: string, ...values: number[]): OnnxTensor => ({
  name,
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});
const int = (value: number): OnnxAttribute => ({ type: 'int', value });
const real = (value: number): OnnxAttribute => ({ type: 'float', value });
const x6 = { name: 'x', type: 'float32' as const, shape: ['batch', 6] };
const out = (name: string, size: number) => ({ name, type: 'float32' as const, shape: ['batch', size] });

describe('operators, against ONNX Runtime', () => {
  const graphs: [string, Partial<OnnxGraph>][] = [
    [
      'Gemm with a transposed matrix, alpha, beta and a bias of one row',
      {
        nodes: [
          node('Gemm', ['x', 'w', 'b'], ['y'], {
            transB: int(1),
            alpha: real(0.5),
            beta: real(2),
            transA: int(0),
          }),
        ],
        initializers: [float('w', 4, 6), float('b', 1, 4)],
        outputs: [out('y', 4)],
      },
    ],
    [
      'MatMul and Add, LayerNormalization with scale and offset, Softplus',
      {
        nodes: [
          node('MatMul', ['x', 'w'], ['p']),
          node('Add', ['b', 'p'], ['q']),
          node('LayerNormalization', ['q', 'scale', 'offset'], ['n'], { epsilon: real(1e-3), axis: int(-1) }),
          node('Softplus', ['n'], ['y']),
        ],
        initializers: [float('w', 6, 5), float('b', 5), float('scale', 5), float('offset', 5)],
        outputs: [out('y', 5), out('q', 5)],
      },
    ],
    [
      'Split in unequal parts, Exp, Neg, Elu with alpha, Concat in another order',
      {
        nodes: [
          node('Split', ['x', 'sizes'], ['a', 'b', 'c'], { axis: int(1) }),
          node('Exp', ['a'], ['ea']),
          node('Neg', ['b'], ['nb']),
          node('Elu', ['c'], ['ec'], { alpha: real(0.7) }),
          node('Concat', ['ec', 'ea', 'k', 'nb'], ['y'], { axis: int(-1) }),
        ],
        // A batch of 1 here: the constant part has no batch dimension to grow with.
        initializers: [ints('sizes', 1, 2, 3), float('k', 1, 2)],
        inputs: [{ ...x6, shape: [1, 6] }],
        outputs: [{ ...out('y', 8), shape: [1, 8] }],
      },
    ],
    [
      'Slice from the end, Clip on both sides and on one, Min, Max, Sub, Div, Mul by one number',
      {
        nodes: [
          node('Slice', ['x', 'from', 'to', 'axis'], ['s']),
          node('Clip', ['s', 'low', 'high'], ['c']),
          node('Clip', ['s', '', 'high'], ['d']),
          node('Min', ['c', 'k'], ['e']),
          node('Max', ['d', 'k'], ['f']),
          node('Sub', ['e', 'f'], ['g']),
          node('Div', ['g', 'k'], ['h']),
          node('Mul', ['two', 'h'], ['i']),
          node('Identity', ['i'], ['y']),
        ],
        initializers: [
          ints('from', -4),
          ints('to', 1000),
          ints('axis', 1),
          scalar('low', -0.5),
          scalar('high', 0.4),
          scalar('two', 2),
          float('k', 4),
        ],
        outputs: [out('y', 4)],
      },
    ],
    [
      'a Constant node, silu as a product with Sigmoid, Relu, Tanh, Flatten',
      {
        nodes: [
          node('Constant', [], ['k'], { value: { type: 'tensor', value: float('k', 6) } }),
          node('Mul', ['x', 'k'], ['a']),
          node('Sigmoid', ['a'], ['b']),
          node('Mul', ['a', 'b'], ['c']),
          node('Relu', ['x'], ['d']),
          node('Add', ['c', 'd'], ['e']),
          node('Flatten', ['e'], ['f'], { axis: int(1) }),
          node('Tanh', ['f'], ['y']),
        ],
        outputs: [out('y', 6)],
      },
    ],
  ];
  graphs.push([
    'Reshape, Transpose, Expand, Concat and Slice in three dimensions, products in blocks, sums along rows',
    {
      nodes: [
        node('Reshape', ['x', 'blocks'], ['b']),
        node('Transpose', ['b'], ['t'], { perm: { type: 'ints', value: [1, 0, 2] } }),
        node('MatMul', ['t', 'w'], ['p']),
        node('ReduceMax', ['p', 'last'], ['m'], { keepdims: int(1) }),
        node('Equal', ['p', 'm'], ['largest']),
        node('Cast', ['largest'], ['hard'], { to: int(1) }),
        node('Softmax', ['p'], ['soft'], { axis: int(-1) }),
        node('LogSoftmax', ['p'], ['logs'], { axis: int(2) }),
        node('Concat', ['hard', 'soft', 'logs', 'm'], ['wide'], { axis: int(2) }),
        node('Slice', ['wide', 'from', 'to', 'axis'], ['cut']),
        node('ReduceMean', ['cut', 'last'], ['mean'], { keepdims: int(0) }),
        node('Expand', ['m', 'whole'], ['again']),
        node('Sub', ['again', 'cut'], ['d']),
        node('Abs', ['d'], ['a']),
        node('Sqrt', ['a'], ['r']),
        node('Sign', ['cut'], ['s']),
        node('Mul', ['r', 's'], ['q']),
        node('Reshape', ['q', 'flat'], ['y']),
        node('Reshape', ['mean', 'row'], ['z']),
      ],
      initializers: [
        ints('blocks', 1, 3, 2),
        float('w', 3, 2, 4),
        ints('last', -1),
        ints('from', 2),
        ints('to', 12),
        ints('axis', 2),
        ints('whole', 3, 1, 10),
        ints('flat', 1, -1),
        ints('row', 1, 3),
      ],
      inputs: [{ ...x6, shape: [1, 6] }],
      outputs: [
        { ...out('y', 30), shape: [1, 30] },
        { ...out('z', 3), shape: [1, 3] },
      ],
    },
  ]);
  it.each(graphs)('%s', async (_, graph) => {
    const bytes = model({ inputs: [x6], ...graph });
    expect(await differenceToOnnxRuntime(bytes, 'x')).toBeLessThan(2e-6);
  });
});

describe('networks that cannot be run', () => {
  const y = [out('y', 6)];
  const cases: [string, Uint8Array, string][] = [
    ['bytes cut short', onnx.subarray(0, 60), 'here.onnx: not an ONNX model, or cut short'],
    [
      'an unknown operator',
      model({ nodes: [node('Hardmax', ['x'], ['y'])], inputs: [x6], outputs: y }),
      'here.onnx: node "Hardmax:y" is of type Hardmax, which the control loop cannot run; it runs Gemm,',
    ],
    [
      'an operator of another domain',
      model({
        nodes: [{ ...node('Gelu', ['x'], ['y']), domain: 'com.microsoft' }],
        inputs: [x6],
        outputs: y,
      }),
      'is of type com.microsoft.Gelu',
    ],
    ['an old operator set', model({ inputs: [x6] }, 11), 'uses ONNX operator set 11, expected 13 or newer'],
    [
      'an input of another shape',
      model({ inputs: [x6, { ...x6, name: 'h', shape: ['batch', 2, 3] }] }),
      'expected inputs of shape [batch, n], found x [batch, 6], h [batch, 2, 3]',
    ],
    ['no input', model({}), 'found none'],
    [
      'an output that nobody computes',
      model({ inputs: [x6], outputs: y }),
      'no node computes the output "y"',
    ],
    [
      'a matrix of the wrong size',
      model({
        nodes: [node('MatMul', ['x', 'w'], ['y'])],
        initializers: [float('w', 5, 6)],
        inputs: [x6],
        outputs: y,
      }),
      'node "MatMul:y" (MatMul): it takes 5 elements and is given 6',
    ],
    [
      'a computed matrix',
      model({ nodes: [node('MatMul', ['x', 'x'], ['y'])], inputs: [x6], outputs: y }),
      'expected a constant as input 1 ("x")',
    ],
    [
      'an addition that would widen the vector to a matrix',
      model({
        nodes: [node('Add', ['x', 'column'], ['y'])],
        initializers: [float('column', 6, 1)],
        inputs: [x6],
        outputs: y,
      }),
      'constant "column" of shape [6, 1] is not a single row',
    ],
    [
      'a split along the batch',
      model({ nodes: [node('Split', ['x'], ['y'], { axis: int(0) })], inputs: [x6], outputs: y }),
      'axis 0 is not the last of two',
    ],
  ];
  it.each(cases)('%s: a UserError that says what and where', (_, bytes, message) => {
    expect(() => new Network(bytes, 'here.onnx')).toThrow(UserError);
    expect(() => new Network(bytes, 'here.onnx')).toThrow(message);
  });

  const load = (changes: Partial<Manifest>) => () =>
    loadPolicy({ manifest: { ...manifest, ...changes }, onnx, path: 'p' });
  it('networks that do not do what their manifest says are refused', () => {
    expect(load({ observation: [{ name: 'o', size: 4, unit: '1' }] })).toThrow(
      "takes 3 values, the manifest's observation has 4",
    );
    expect(load({ action: { kind: 'delta', centre_rad: [0], scale_rad: [1] } })).toThrow(
      'output "action" has 2 values, the manifest\'s action 1',
    );
    expect(load({ network: { ...manifest.network, outputs: { action: 'a' } } })).toThrow(
      'no output "a"; there are action',
    );
  });
});

describe('a loaded policy', () => {
  const policy = loadPolicy({ manifest, onnx, path: 'p' });
  it('acts into the array it is given', () => {
    expect([policy.observationSize, policy.actionSize]).toEqual([3, 2]);
    const action = new Float32Array(2);
    policy.act(new Float32Array([1, 0, -1]), action);
    expect(action[0]).toBeCloseTo(Math.tanh(0.1 - 0.5), 6);
    expect(action[1]).toBeCloseTo(Math.tanh(0.2 - 0.6 + 0.5), 6);
  });

  it('refuses an observation of another size, and exploring without a distribution', () => {
    const action = new Float32Array(2);
    expect(() => policy.act(new Float32Array(2), action)).toThrow(
      'observation of 2 values, the policy takes 3',
    );
    const explore = { random: new Random(0), scale: 1 };
    expect(() => policy.act(new Float32Array(3), action, explore)).toThrow(
      'has no mean and log_std to explore with',
    );
  });
});
