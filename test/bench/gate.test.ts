import { expect, test } from 'vitest';
import { CoreProbes, Gate } from '../../bench/measure/gate.js';

/** A machine whose cores take these times, one after the other, and the last one ever after. */
function machine(...times: number[]) {
  let k = 0;
  return async () => times[Math.min(k++, times.length - 1)];
}

test('a turn before or after which a core was slow is taken again', async () => {
  // Fast, fast: kept. Then slow before, slow after, and fast on both sides.
  const gate = new Gate(machine(2, 2, 9, 2, 9, 2));
  let turn = 0;
  expect(await gate.pass(async () => ++turn)).toBe(1);
  expect(await gate.pass(async () => ++turn)).toBe(4);
  expect(gate.turns).toEqual({ taken: 4, again: 2, disturbed: 0 });
});

test('on a machine that stays slow a turn counts in the end, and is told apart', async () => {
  const gate = new Gate(machine(1, 5));
  expect(await gate.pass(async () => 'done')).toBe('done');
  expect(gate.turns.disturbed).toBe(1);
});

test('every core runs the loop', async () => {
  const probes = new CoreProbes();
  expect(await probes.slowest_ms()).toBeGreaterThan(0);
  await probes.close();
});
