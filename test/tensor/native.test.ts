import { describe, expect, test } from 'vitest';
import { instructionSets, nativeKernels } from '../../src/kernels/addon.js';
import { wasmKernels } from '../../src/kernels/wasm.js';
import { Graph, gradients } from '../../src/tensor/index.js';
import { KernelEngine } from '../../src/tensor/native/engine.js';
import { layOut } from '../../src/tensor/native/layout.js';
import * as t from '../../src/tensor/operations.js';
import { ReferenceEngine } from '../../src/tensor/reference.js';
import { expectClose, values } from './support.js';

const sets = instructionSets();
const native = (name?: string, how = {}) => new KernelEngine('native', () => nativeKernels(name), how);
const tiling = { rows: 6, columns: 16, depth: 512 };

/** Two layers, descended on: products with chains, transposed ones, sums over rows, states overwritten in place. */
function network(rows: number, inputs: number, hidden: number): Graph {
  const g = new Graph();
  const x = g.input('x', [rows, inputs]);
  const [w, b, v] = [g.state('w', [inputs, hidden]), g.state('b', [hidden]), g.state('v', [hidden, 1])];
  const h = t.relu(t.add(t.matmul(x, w), b));
  const loss = t.mean(t.square(t.sub(t.matmul(h, v), 1)));
  const descended = gradients(loss, [w, b, v]).map((d, i) => t.sub([w, b, v][i], t.mul(d, 0.05)));
  g.step(
    'descend',
    [w, b, v].map((s, i) => [s, descended[i]] as const),
    { loss, h },
  );
  return g;
}

async function descended(g: Graph, engine: KernelEngine | ReferenceEngine, threads: number) {
  const program = await engine.compile(g, { threads });
  for (const [i, [id, { shape }]] of [...g.states].entries())
    program.setState(id, values(i, shape, -0.3, 0.3));
  const results: Record<string, Float32Array> = {};
  for (let k = 0; k < 3; k++) {
    const out = await program.run('descend', { x: values(10 + k, g.inputs.get('x')!.shape) });
    for (const [id, v] of Object.entries(out)) results[`${id} ${k}`] = v.slice();
  }
  for (const id of g.states.keys()) results[id] = program.getState(id);
  await program.dispose();
  return results;
}

/** Sizes below, at and beyond tiles, panels, strips and what is summed in one go. */
const sizes: [number, number, number][] = [
  [1, 5, 7],
  [3, 46, 64],
  [29, 33, 65],
  [15, 520, 4],
  [16, 3, 530],
];

/** Sums of products and of squares, along either axis: fused where nobody else asks for what is summed. */
function sums(): Graph {
  const g = new Graph();
  const [x, y] = [g.input('x', [37, 83]), g.input('y', [37, 83])];
  const squared = t.square(y);
  g.step('run', [], {
    columns: t.sum(t.mul(x, y), { axes: [0] }),
    rows: t.mean(t.mul(x, y), { axes: [1], keepDims: true }),
    variance: t.mean(t.square(t.sub(x, t.mean(x, { axes: [0] }))), { axes: [0] }),
    deviation: t.sum(t.square(t.sub(x, t.mean(x, { axes: [1], keepDims: true }))), { axes: [1] }),
    all: t.sum(t.mul(x, t.exp(y))),
    squared,
    kept: t.sum(squared, { axes: [0] }),
    most: t.reduceMax(x, { axes: [0] }),
  });
  return g;
}

async function checkSums(engine: KernelEngine): Promise<void> {
  const given = { x: values(1, [37, 83]), y: values(2, [37, 83]) };
  const run = async (e: KernelEngine | ReferenceEngine) =>
    (await e.compile(sums(), { threads: 2 })).run('run', given);
  const [got, expected] = [await run(engine), await run(new ReferenceEngine())];
  for (const id of Object.keys(expected)) expectClose(got[id], expected[id], 2e-6, id);
}

const references = await Promise.all(
  sizes.map((size) => descended(network(...size), new ReferenceEngine(), 1)),
);

async function checkSizes(engine: KernelEngine): Promise<void> {
  for (const [i, size] of sizes.entries()) {
    const fast = await descended(network(...size), engine, 2);
    for (const id of Object.keys(references[i]))
      expectClose(fast[id], references[i][id], 2e-5, `${size.join('×')} ${id}`);
  }
}

/** Softmax of rows below, at and beyond a vector's lanes, in width and in number. */
function softmaxes(): Graph {
  const g = new Graph();
  const outputs: Record<string, ReturnType<typeof t.softmax>> = {};
  for (const width of [1, 2, 7, 8, 16, 17, 127])
    for (const rows of [1, 5, 16, 37]) {
      const id = `${rows} of ${width}`;
      const x = g.input(id, [rows, width]);
      outputs[`softmax ${id}`] = t.softmax(x);
      outputs[`logSoftmax ${id}`] = t.logSoftmax(x);
    }
  g.step('run', [], outputs);
  return g;
}

async function checkSoftmax(engine: KernelEngine, threads: number): Promise<void> {
  const g = softmaxes();
  const inputs = Object.fromEntries([...g.inputs].map(([id, { shape }], i) => [id, values(i, shape, -9, 9)]));
  inputs['5 of 8'].fill(Number.NaN, 8, 9);
  const expected = await (await new ReferenceEngine().compile(g)).run('run', inputs);
  const found = await (await engine.compile(g, { threads })).run('run', inputs);
  for (const id of Object.keys(expected))
    for (const [i, value] of found[id].entries())
      if (Number.isNaN(expected[id][i])) expect(value, id).toBeNaN();
      else expect(Math.abs(value - expected[id][i]), id).toBeLessThan(3e-6 * (1 + Math.abs(value)));
}

describe('the kernels as WebAssembly', () => {
  const wasm = new KernelEngine('wasm', wasmKernels);

  test('compute what the reference computes, at every size', async () => {
    await checkSizes(wasm);
    await checkSoftmax(wasm, 1);
  });
  test('add up products and squares as the reference does', () => checkSums(wasm));

  test('give the same bits on one thread, two and three', async () => {
    // Large enough to run beside the event loop, on threads.
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map((threads) => descended(network(150, 70, 190), wasm, threads)),
    );
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });
});

describe.skipIf(sets.length === 0)('native kernels', () => {
  test.each(sets)('%s computes what the reference computes, at every size', async (name) => {
    await checkSizes(native(name));
    await checkSoftmax(native(name), 2);
  });

  test.each(sets)('%s adds up products and squares as the reference does', (name) => checkSums(native(name)));

  test('one thread, two and three give the same bits', async () => {
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map((threads) => descended(network(61, 70, 90), native(), threads)),
    );
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });

  test('fused or not, memory shared or not: results differ by rounding at most', async () => {
    const plain = await descended(network(33, 20, 50), native(undefined, { fusing: false, reuse: false }), 2);
    const fused = await descended(network(33, 20, 50), native(undefined, { reuse: false }), 2);
    const shared = await descended(network(33, 20, 50), native(), 2);
    for (const id of Object.keys(plain)) expectClose(fused[id], plain[id], 1e-6, id);
    expect(shared).toEqual(fused);
  });

  test('an input may be written where the program reads it', async () => {
    const g = new Graph();
    const x = g.input('x', [3]);
    g.step('run', [], { y: t.mul(x, 2), z: t.add(x, g.input('w', [3])) });
    const program = await native().compile(g, {});
    const own = program.inputMemory?.('x');
    own?.set([1, 2, 3]);
    const w = Float32Array.of(1, 1, 1);
    expect([...(await program.run('run', { x: own!, w })).y]).toEqual([2, 4, 6]);
    expect([...(await program.run('run', { x: Float32Array.of(5, 6, 7), w })).z]).toEqual([6, 7, 8]);
    expect(program.inputMemory?.('v')).toBeUndefined();
  });

  test('an instruction set that is not there is named', async () => {
    const { available, found } = await native('mmx').find();
    expect(available).toBe(false);
    expect(found).toBe(`this machine has no mmx; it has ${sets.join(', ')}`);
  });
});

describe('the layout of a network', () => {
  const step = (options: { fusing?: boolean; reuse?: boolean } = {}) =>
    layOut(network(256, 58, 256), { tiling, threads: 2, ...options });

  test('has few points where threads wait, fewer still than instructions', () => {
    const { barriers, instructions } = step().steps.get('descend')!;
    expect(barriers).toBeLessThanOrEqual(3);
    expect(instructions).toBeLessThan(step({ fusing: false }).steps.get('descend')!.instructions);
  });

  test('reuses memory whose content nobody needs', () => {
    expect(step().size).toBeLessThan(step({ reuse: false }).size);
  });
});
