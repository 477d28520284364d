// Which files the kernels are built from, and the hash by which a build is known to be theirs.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const folder = fileURLToPath(new URL('.', import.meta.url));
export const addonPath = join(folder, 'build', 'reverie.node');
export const wasmPath = join(folder, 'kernels.wasm');

/** Of all C++ sources, by name and content. */
export function sourceHash() {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    if (/\.(h|cpp)$/.test(name)) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
