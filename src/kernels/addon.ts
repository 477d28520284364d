import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../base/files.js';
import { elementwise, instructions, type Tiling } from './vocabulary.js';

/** Memory and threads in which programs run. */
export interface Host {
  /** The arena. Views of it stay good. */
  readonly arena: Float32Array;
  /** Runs a program before it returns. */
  run(words: Int32Array): void;
  /** Runs a program beside the event loop. */
  runBeside(words: Int32Array): Promise<void>;
  /** Ends its threads, where they do not end with it. */
  close?(): Promise<void>;
}

export interface HostOptions {
  /** Floats of the arena, and of each thread's own memory. */
  readonly size: number;
  readonly scratch: number;
  readonly threads: number;
  readonly spin_us: number;
}

/** The kernels of one instruction set. */
export interface Kernels {
  readonly name: string;
  readonly tiling: Tiling;
  open(options: HostOptions): Host;
}

/** The compiled addon, as native/addon.cpp offers it. */
interface Addon {
  readonly elementwise: string;
  readonly instructions: string;
  readonly source: string;
  kernels(): (Tiling & { name: string; lanes: number })[];
  shift(arena: Float32Array): number;
  open(
    name: string,
    arena: Float32Array,
    offset: number,
    scratch: number,
    threads: number,
    spin_us: number,
  ): unknown;
  run(executor: unknown, words: Int32Array): void;
  runBeside(executor: unknown, words: Int32Array): Promise<void>;
}

const addonPath = join(packageRoot, 'native', 'build', 'reverie.node');

/** Words of a cache line: the arena begins at one. */
const LINE = 16;

/** Kernels, or why there are none and what would help. */
export type KernelsFound = Kernels | { readonly missing: string; readonly help: string };

const BUILD = 'a C++ compiler (Debian: apt install g++), then node native/build.mjs';

function loadAddon(): Addon | { readonly missing: string; readonly help: string } {
  if (!existsSync(addonPath)) return { missing: 'the addon is not built', help: BUILD };
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)(addonPath) as Addon;
  } catch (error) {
    return {
      missing: `the addon cannot be loaded: ${(error as Error).message.split('\n')[0]}`,
      help: BUILD,
    };
  }
  const { elementwise: chains, instructions: all } = addon;
  if (chains.trim() !== elementwise.join(' ') || all.trim() !== instructions.join(' '))
    return { missing: 'the addon was built from other sources', help: BUILD };
  return addon;
}

/** The addon's kernels for the best instruction set of this machine, or for one by name. */
export function nativeKernels(name?: string): KernelsFound {
  const addon = loadAddon();
  if ('missing' in addon) return addon;
  const all = addon.kernels();
  const found = name ? all.find((k) => k.name === name) : all[0];
  if (!found)
    return {
      missing: `this machine has no ${name}; it has ${all.map((k) => k.name).join(', ')}`,
      help: 'another processor',
    };
  return { name: found.name, tiling: found, open: (options) => openAddon(addon, found.name, options) };
}

/** Instruction sets that the addon has kernels for and this machine runs, best first. */
export function instructionSets(): readonly string[] {
  const addon = loadAddon();
  return 'missing' in addon ? [] : addon.kernels().map((k) => k.name);
}

function openAddon(addon: Addon, name: string, { size, scratch, threads, spin_us }: HostOptions): Host {
  const memory = new Float32Array(size + LINE);
  const shift = addon.shift(memory);
  const executor = addon.open(name, memory, shift, scratch, threads, spin_us);
  return {
    arena: memory.subarray(shift, shift + size),
    run: (words) => addon.run(executor, words),
    runBeside: (words) => addon.runBeside(executor, words),
  };
}
