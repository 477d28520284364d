// Which files the kernels are built from, and the hashes by which a build is known to be theirs.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const folder = fileURLToPath(new URL('.', import.meta.url));
export const addonPath = join(folder, 'build', 'reverie.node');
export const wasmFiles = { plain: 'kernels.wasm', relaxed: 'kernels.relaxed.wasm' };

function hashOf(names) {
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

const sources = () =>
  readdirSync(folder)
    .filter((name) => /\.(h|cpp)$/.test(name))
    .sort();

/** Of all C++ sources. */
export const sourceHash = () => hashOf(sources());

/** Of those that WebAssembly is built from: the addon's threads are not among them. */
export const kernelHash = () =>
  hashOf(sources().filter((name) => !['addon.cpp', 'kernels.cpp', 'threads.h'].includes(name)));
