import { expect, it } from 'vitest';
import { lastJson, reverie } from '../cli/support.js';

/** The bench that takes ten minutes, for twenty seconds. A slow machine may take longer to deliver what was made. */
it('nothing is lost, doubled or out of order when robots, broker and learner are killed at random', async () => {
  const args = [
    'bench',
    'fleet',
    '--robots',
    '4',
    '--seconds',
    '20',
    '--kills',
    '6',
    '--seed',
    '3',
    '--json',
  ];
  const outcome = await reverie(args);
  const result = lastJson(outcome);
  expect(Object.keys(result)).toEqual(['made', 'in_replay', 'lost', 'duplicates', 'out_of_order', 'kills']);
  expect(result, outcome.stderr).toMatchObject({ lost: 0, duplicates: 0, out_of_order: 0, kills: 6 });
  expect(result.in_replay).toBe(result.made);
  expect(result.made).toBeGreaterThan(500);
  expect(outcome.code).toBe(0);
}, 600_000);
