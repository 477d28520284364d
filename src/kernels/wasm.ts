import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { packageRoot } from '../base/files.js';
import type { Host, HostOptions, KernelsFound } from './addon.js';
import type { Tiling } from './vocabulary.js';
import { instantiate, type ThreadData } from './wasmInstance.js';
import { WasmThreads } from './wasmThreads.js';

const PAGE = 65536;
/** Room for the programs of a graph, beside the arena: a step of a learner has some thousand words. */
const WORDS = 1 << 20;
/** Bytes of a thread's stack. */
const STACK = PAGE;
/** As native/kernels.wasm asks for, at least. */
const FEWEST_PAGES = 32;

const alignedBytes = (address: number): number => Math.ceil(address / 64) * 64;

let loaded: { module: WebAssembly.Module; name: string; tiling: Tiling; free: number } | undefined;

/** The kernels compiled for this process: relaxed SIMD, which fuses products with sums, where Node has it. */
function load() {
  // Node 20 has relaxed SIMD behind a flag, later ones without.
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  const read = (file: string) => readFileSync(join(packageRoot, 'native', file));
  const relaxed = read('kernels.relaxed.wasm');
  const isRelaxed = WebAssembly.validate(relaxed);
  const module = new WebAssembly.Module(isRelaxed ? relaxed : read('kernels.wasm'));
  const name = isRelaxed ? 'WebAssembly relaxed SIMD' : 'WebAssembly SIMD';
  const exports = instantiate(module, memoryOf(FEWEST_PAGES));
  return {
    module,
    name,
    free: exports.free(),
    tiling: { rows: exports.tileRows(), columns: exports.tileColumns(), depth: exports.depth() },
  };
}

/** Shared, since the threads' instances work in one; it does not grow. */
const memoryOf = (pages: number) => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });

/** The kernels as WebAssembly: on every machine, without a compiler. */
export function wasmKernels(): KernelsFound {
  try {
    loaded ??= load();
  } catch (error) {
    return { missing: `WebAssembly SIMD: ${(error as Error).message}`, help: 'Node.js 20.20 or newer' };
  }
  const { module, name, tiling } = loaded;
  return { name, tiling, open: (options) => open(module, options) };
}

/** Where things lie in the memory of a host, in bytes. */
function plan(free: number, { size, scratch, threads }: HostOptions) {
  let end = free;
  const place = (bytes: number) => {
    const start = alignedBytes(end);
    end = start + bytes;
    return start;
  };
  const control = place(8);
  const arena = place(size * 4);
  const programs = place(WORDS * 4);
  // One more than there are threads: short programs are run by the caller itself.
  const own = Array.from({ length: threads + 1 }, () => ({
    scratch: place(scratch * 4),
    stack: place(STACK) + STACK,
  }));
  return { control, arena, programs, own, pages: Math.max(FEWEST_PAGES, Math.ceil(end / PAGE)) };
}

function open(module: WebAssembly.Module, options: HostOptions): Host {
  const { control, arena, programs, own, pages } = plan(loaded!.free, options);
  const memory = memoryOf(pages);
  const exports = instantiate(module, memory);
  const [caller, ...others] = own;
  exports.__stack_pointer.value = caller.stack;
  const addresses = new Map<Int32Array, number>();
  let next = programs;
  const addressOf = (words: Int32Array): number => {
    const known = addresses.get(words);
    if (known !== undefined) return known;
    if (next + words.byteLength > programs + WORDS * 4)
      throw new Error('the programs do not fit into their memory');
    new Int32Array(memory.buffer, next, words.length).set(words);
    addresses.set(words, next);
    next += words.byteLength;
    return next - words.byteLength;
  };
  let threads: WasmThreads | undefined;
  const startThreads = () =>
    new WasmThreads(
      others.map(
        (memories, thread): ThreadData => ({
          module,
          memory,
          control,
          arena,
          ...memories,
          thread,
          threads: others.length,
        }),
      ),
    );
  return {
    arena: new Float32Array(memory.buffer, arena, options.size),
    run: (words) => exports.run(addressOf(words), arena, caller.scratch, 0, 1),
    runBeside(words) {
      threads ??= startThreads();
      return threads.run(addressOf(words));
    },
    close: async () => threads?.end(),
  };
}
