import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wasmKernels } from '../../src/kernels/wasm.js';
import { type Candidate, compileOnFastest, fastestEngine } from '../../src/tensor/choice.js';
import { Graph } from '../../src/tensor/index.js';
import { KernelEngine } from '../../src/tensor/native/engine.js';
import { OnnxEngine } from '../../src/tensor/onnx/engine.js';
import * as t from '../../src/tensor/operations.js';

const candidates: Candidate[] = [
  { name: 'onnx', engine: new OnnxEngine('cpu'), found: 'one' },
  { name: 'wasm', engine: new KernelEngine('wasm', wasmKernels), found: 'another' },
];

function product(size: number): Graph {
  const g = new Graph();
  const x = g.input('x', [size, size]);
  g.step('multiply', [], { y: t.matmul(x, g.state('w', [size, size])) });
  return g;
}

let folder: string;
const before = process.env.REVERIE_CACHE;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-choice-'));
  process.env.REVERIE_CACHE = folder;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  if (before === undefined) delete process.env.REVERIE_CACHE;
  else process.env.REVERIE_CACHE = before;
});

test('engines are measured on the graph once; what was found is kept', async () => {
  const choice = await fastestEngine(product(128), candidates, {});
  expect(['onnx', 'wasm']).toContain(choice.name);
  expect(choice.why).toMatch(/^the fastest for this graph: \w+ [\d.]+ ms, \w+ [\d.]+ ms$/);
  expect(await fastestEngine(product(128), candidates, {})).toEqual(choice);
  // The file decides, not the clock.
  const [file] = readdirSync(folder);
  const other = choice.name === 'onnx' ? 'wasm' : 'onnx';
  writeFileSync(join(folder, file), JSON.stringify({ name: other, why: 'so it was' }));
  expect(await fastestEngine(product(128), candidates, {})).toEqual({ name: other, why: 'so it was' });
});

test('another graph, other threads or another version of an engine are measured anew', async () => {
  await fastestEngine(product(128), candidates, {});
  await fastestEngine(product(130), candidates, {});
  await fastestEngine(product(128), candidates, { threads: 2 });
  await fastestEngine(product(128), [candidates[0], { ...candidates[1], found: 'newer' }], {});
  expect(readdirSync(folder)).toHaveLength(4);
});

test('two who measure at the same time agree', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => fastestEngine(product(128), candidates, {})));
  expect(two.name).toBe(one.name);
});

test('nothing is measured where it does not matter, or could not be kept', async () => {
  expect(await fastestEngine(product(8), candidates, {})).toEqual({
    name: 'onnx',
    why: 'the graph is small',
  });
  process.env.REVERIE_CACHE = '/dev/null/nowhere';
  const choice = await fastestEngine(product(128), candidates, {});
  expect(choice.name).toBe('onnx');
  expect(choice.why).toContain('nothing can be kept in /dev/null/nowhere (ENOTDIR)');
});

test('an engine that cannot run a graph leaves it to the others, and says why', async () => {
  const g = new Graph();
  const x = g.input('x', [2, 2, 2, 2, 2, 2]);
  // Six axes, of which no two lie in memory one after the other: the kernels' loops are four deep.
  g.step('reverse', [], { y: t.add(t.transpose(x, [5, 4, 3, 2, 1, 0]), x) });
  const [onnx, wasm] = candidates;
  await expect(wasm.engine.compile(g, {})).rejects.toThrow(/cannot run/);
  const notes: string[] = [];
  const made = await compileOnFastest(g, [wasm, onnx], {}, (line) => notes.push(line));
  expect(made.name).toBe('onnx');
  expect(notes).toEqual([expect.stringContaining('the native engine cannot run')]);
});
