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
    expect(row.fraction_of_peak).toBeGreaterThan(0);
    expect(row).toMatchObject({ name: 'sac-256-b256', ratio_to_cleanrl: null, ratio_to_lean: null });
    const [least, most] = row.spread as [number, number];
    expect(row.median_per_s).toBeGreaterThan(0);
    expect(least).toBeLessThanOrEqual(row.median_per_s as number);
    expect(most).toBeGreaterThanOrEqual(row.median_per_s as number);
  }
});

test('the policy and the simulator are measured too', async () => {
  const args = ['bench', '--only', 'inference,simulation', '--seconds', '0.1', '--json'];
  const { results } = lastJson(await reverie(args, { REVERIE_PYTHON: '/nobody/python' })) as {
    results: Record<string, unknown>[];
  };
  const rows = results.map(({ name, engine, threads }) => `${name} ${engine} ${threads}`);
  expect(rows).toEqual(
    expect.arrayContaining([
      'inference-46-256-256-256-24 control-loop, TypeScript 1',
      'inference-46-256-256-256-24 onnxruntime-node 1',
      'simulation-quadruped-walk mujoco-wasm 1',
    ]),
  );
  for (const row of results) expect(row.median_per_s).toBeGreaterThan(0);
});

test('what is not there to be measured is answered with what there is', async () => {
  const { code, stderr } = await reverie(['bench', '--only', 'sca']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^reverie: nothing to measure is called sca; there are sac-256-b256, /);
});

test('a mistake in a subcommand ends as any other does', async () => {
  const { code, stderr } = await reverie(['bench', '--seconds', 'soon']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--seconds <s>' argument 'soon' is invalid/);
});
