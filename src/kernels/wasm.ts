import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { packageRoot } from '../base/files.js';
import type { Host, HostOptions, KernelsFound } from './addon.js';
import type { Tiling } from './vocabulary.js';

/** What native/wasm.cpp exports. Addresses are bytes. */
interface Exports {
  run(words: number, arena: number, scratch: number): void;
  tileRows(): number;
  tileColumns(): number;
  depth(): number;
  free(): number;
}

const PAGE = 65536;
/** Room for the programs of a graph, beside the arena: a step of a learner has some thousand words. */
const WORDS = 1 << 20;

const alignedBytes = (address: number): number => Math.ceil(address / 64) * 64;

let loaded: { module: WebAssembly.Module; name: string; tiling: Tiling } | undefined;

/** The kernels compiled for this process: relaxed SIMD, which fuses products with sums, where Node has it. */
function load() {
  // Node 20 has relaxed SIMD behind a flag, later ones without.
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  const read = (file: string) => readFileSync(join(packageRoot, 'native', file));
  const relaxed = read('kernels.relaxed.wasm');
  const isRelaxed = WebAssembly.validate(relaxed);
  const module = new WebAssembly.Module(isRelaxed ? relaxed : read('kernels.wasm'));
  const name = isRelaxed ? 'WebAssembly relaxed SIMD' : 'WebAssembly SIMD';
  const { exports } = instantiate(module, new WebAssembly.Memory({ initial: 32 }));
  return {
    module,
    name,
    tiling: { rows: exports.tileRows(), columns: exports.tileColumns(), depth: exports.depth() },
  };
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): { exports: Exports } {
  return new WebAssembly.Instance(module, { env: { memory } }) as unknown as { exports: Exports };
}

/** The kernels as WebAssembly: on every machine, without a compiler, in one thread. */
export function wasmKernels(): KernelsFound {
  try {
    loaded ??= load();
  } catch (error) {
    return { missing: `WebAssembly SIMD: ${(error as Error).message}`, help: 'Node.js 20.20 or newer' };
  }
  const { module, name, tiling } = loaded;
  return { name, tiling, threads: 1, open: (options) => open(module, options) };
}

function open(module: WebAssembly.Module, { size, scratch }: HostOptions): Host {
  const memory = new WebAssembly.Memory({ initial: 32 });
  const { exports } = instantiate(module, memory);
  const arena = alignedBytes(exports.free());
  const own = alignedBytes(arena + size * 4);
  const programs = alignedBytes(own + scratch * 4);
  const end = programs + WORDS * 4;
  memory.grow(Math.max(0, Math.ceil(end / PAGE) - 32));
  const addresses = new Map<Int32Array, number>();
  let next = programs;
  const addressOf = (words: Int32Array): number => {
    const known = addresses.get(words);
    if (known !== undefined) return known;
    if (next + words.byteLength > end) throw new Error('the programs do not fit into their memory');
    new Int32Array(memory.buffer, next, words.length).set(words);
    addresses.set(words, next);
    next += words.byteLength;
    return next - words.byteLength;
  };
  const run = (words: Int32Array) => exports.run(addressOf(words), arena, own);
  return {
    arena: new Float32Array(memory.buffer, arena, size),
    run,
    runBeside: async (words) => run(words),
  };
}
