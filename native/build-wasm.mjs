// Builds the kernels for WebAssembly, with and without relaxed SIMD. That takes Clang and LLD (Debian: apt install
// clang-16 lld-16), which users do not have: the two files are kept beside their source, with the source's hash in
// each, and a test compares it. Run this after a change of the kernels.
//
//   CLANG=clang-16 node native/build-wasm.mjs
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, kernelHash, wasmFiles } from './sources.mjs';

const clang = process.env.CLANG ?? 'clang-16';
const flags = [
  ...[
    '--target=wasm32',
    '-std=c++20',
    '-O3',
    '-Wall',
    '-Wextra',
    '-nostdlib',
    '-fno-exceptions',
    '-fno-rtti',
  ],
  ...[
    '-mbulk-memory',
    '-matomics',
    '-mmutable-globals',
    '-ffp-contract=off',
    '-fno-math-errno',
    '-Wl,--no-entry',
    '-Wl,--strip-all',
    // One memory for the instances of all threads, each with a stack of its own.
    '-Wl,--import-memory',
    '-Wl,--shared-memory',
    '-Wl,--max-memory=4294967296',
    '-Wl,--export=__stack_pointer',
  ],
];
const variants = { plain: ['-msimd128'], relaxed: ['-msimd128', '-mrelaxed-simd'] };

/** A custom section: 0, length, name's length, name, content. */
function section(name, content) {
  const body = Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.from(content)]);
  return Buffer.concat([Buffer.of(0, body.length), body]);
}

for (const [variant, own] of Object.entries(variants)) {
  const path = join(folder, wasmFiles[variant]);
  execFileSync(clang, [...flags, ...own, 'wasm.cpp', '-o', path], { cwd: folder, stdio: 'inherit' });
  appendFileSync(path, section('source', kernelHash()));
  console.log(`built ${path}`);
}
