import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/**
 * The engine puts a number on the heap now and then where a call that it did not inline returns one: 12 to
 * 16 bytes each. An object, an array of joints or a closure would be more than this by itself.
 */
const NUMBERS_BYTES = 60;

it('a control tick allocates nothing', async () => {
  const script = fileURLToPath(new URL('./tickAllocation.js', import.meta.url));
  // Young space for all of it: a collection in between would hide what was allocated.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--max-semi-space-size=256',
    script,
  ]);
  const { bytes_per_tick, mode, phase, episodes } = JSON.parse(stdout);
  expect([mode, phase]).toEqual(['run', 'running']);
  expect(episodes).toBeGreaterThan(2);
  expect(bytes_per_tick).toBeGreaterThanOrEqual(0);
  expect(bytes_per_tick).toBeLessThan(NUMBERS_BYTES);
}, 60_000);
