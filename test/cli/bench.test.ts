import { expect, test } from 'vitest';
import { lastJson, reverie } from './support.js';

test('bench measures what is asked for, and says in one line that there is no PyTorch to compare with', async () => {
  const args = ['bench', 'step', '--only', 'sac-256-b256', '--seconds', '0.1', '--json'];
  const outcome = await reverie(args, { REVERIE_PYTHON: '/nobody/python' });
  expect(outcome.code).toBe(0);
  expect(outcome.stderr).toMatch(/^no PyTorch, so no ratios: .*\/nobody\/python/m);
  const { machine, results } = lastJson(outcome) as { machine: string; results: Record<string, unknown>[] };
  expect(machine).toContain(process.version);
  expect(results.length).toBeGreaterThan(0);
  for (const row of results) {
    expect(row).toMatchObject({ name: 'sac-256-b256', ratio_to_cleanrl: null, ratio_to_lean: null });
    const [least, most] = row.spread as [number, number];
    expect(row.median_per_s).toBeGreaterThan(0);
    expect(least).toBeLessThanOrEqual(row.median_per_s as number);
    expect(most).toBeGreaterThanOrEqual(row.median_per_s as number);
  }
});

test('a mistake in a subcommand ends as any other does', async () => {
  const { code, stderr } = await reverie(['bench', '--seconds', 'soon']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--seconds <s>' argument 'soon' is invalid/);
});
