import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/base/files.js';

interface Sources {
  kernelHash(): string;
  wasmFiles: Record<string, string>;
}

test('the WebAssembly that is kept is built from the sources beside it', async () => {
  const path = join(packageRoot, 'native', 'sources.mjs');
  const { kernelHash, wasmFiles } = (await import(pathToFileURL(path).href)) as Sources;
  // Compiling needs no relaxed SIMD for the section to be read: it is cut from the end of the file.
  for (const file of Object.values(wasmFiles)) {
    const bytes = readFileSync(join(packageRoot, 'native', file));
    const hash = kernelHash();
    const kept = bytes.subarray(bytes.length - hash.length).toString();
    expect(kept, `${file} is of other sources: node native/build-wasm.mjs builds it anew`).toBe(hash);
  }
});
