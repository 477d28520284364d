import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/**
 * The engine boxes a number, in 16 bytes, where a call that it did not inline takes or returns one, and which
 * those are differs from run to run: three, of which the time of the tick is one. A vector of joints, made
 * anew in each tick, is more than this, and so is a pair that is taken apart by destructuring for each joint.
 */
const BOXED_NUMBERS_BYTES = 110;

it('a control tick allocates no more than a few boxed numbers', async () => {
  const script = fileURLToPath(new URL('./tickAllocation.js', import.meta.url));
  // Young space for all of it from the start: a collection in between would hide what was allocated.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    // Compiled at once, not in the background when a busy machine gets round to it.
    '--no-concurrent-recompilation',
    '--min-semi-space-size=256',
    '--max-semi-space-size=256',
    script,
  ]);
  const { bytes_per_tick, mode, phase, episodes } = JSON.parse(stdout);
  expect([mode, phase]).toEqual(['run', 'running']);
  expect(episodes).toBeGreaterThan(2);
  expect(bytes_per_tick).toBeGreaterThanOrEqual(0);
  expect(bytes_per_tick).toBeLessThan(BOXED_NUMBERS_BYTES);
});
