import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBundle } from '../../src/policy/bundle.js';
import { evaluationSchema } from '../../src/policy/manifest.js';
import { lastJson, reverie, untrainedBundle } from './support.js';

let folder: string;
let arm: string;
let quadruped: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-eval-'));
  arm = untrainedBundle(join(folder, 'arm'), 'arm', 'reach').path;
  quadruped = untrainedBundle(join(folder, 'quadruped'), 'quadruped', 'walk').path;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('reverie eval', () => {
  it('ends with one object of figures, the same from a seed for one worker as for three', async () => {
    const run = (workers: string, seed: string) =>
      reverie([
        'eval',
        quadruped,
        '--episodes',
        '4',
        '--seconds',
        '1',
        '--seed',
        seed,
        '--workers',
        workers,
        '--json',
      ]);
    const [one, three, other] = [await run('1', '3'), await run('3', '3'), await run('1', '4')];
    expect(one.stderr).toBe('');
    expect(one.code).toBe(0);
    expect(one.stdout.trim().split('\n')).toHaveLength(1);
    const evaluation = lastJson(one);
    expect(evaluationSchema.parse(evaluation)).toMatchObject({
      episodes: 4,
      seconds_each: 1,
      success_rate: 0,
    });
    expect(Object.keys(evaluation)).toEqual([
      'episodes',
      'seconds_each',
      'falls',
      'mean_speed_mps',
      'success_rate',
      'mean_return',
      'mean_power_w',
      'foot_slip_mps',
      'touchdowns_per_s',
      'action_rate',
      'seconds_to_success',
      'rolled_over_rate',
      'stood_rate',
      'speed_at_end_mps',
    ]);
    expect(three.stdout).toBe(one.stdout);
    expect(other.stdout).not.toBe(one.stdout);
  });

  it('prints a table for people, without figures that the robot cannot have', async () => {
    const { code, stdout } = await reverie(['eval', arm, '--episodes', '2', '--seconds', '2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^episodes +2 of 2 s$/m);
    expect(stdout).toMatch(/^success +\d+ %$/m);
    expect(stdout).toMatch(/^mean speed +–$/m);
  });

  it('refuses a policy for another robot, with the reasons', async () => {
    const { code, stdout, stderr } = await reverie(['eval', arm, '--robot', 'quadruped', '--json']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/task reach needs a chain of kind "tool"; quadruped has none/);
    const manifestPath = join(quadruped, 'manifest.json');
    const original = readFileSync(manifestPath, 'utf8');
    const manifest = JSON.parse(original);
    manifest.joints.reverse();
    writeFileSync(manifestPath, JSON.stringify(manifest));
    const reordered = await reverie(['eval', quadruped]);
    writeFileSync(manifestPath, original);
    expect(reordered.code).toBe(2);
    expect(reordered.stderr).toMatch(
      /is refused for .*robot\.yaml:\n {2}joint 0 of the policy is "RL_knee", of the robot "FR_abduction"/,
    );
  });

  it('refuses a parameter that the task does not have, or a value that it cannot be', async () => {
    const unknown = await reverie(['eval', quadruped, '--set', 'speed=3', '--json']);
    expect([unknown.code, unknown.stdout]).toEqual([2, '']);
    expect(unknown.stderr).toMatch(/--set.*"speed"/s);
    const bad = await reverie(['eval', arm, '--set', 'targets=near']);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toMatch(/--set.*targets/s);
    expect((await reverie(['eval', arm, '--set', 'targets'])).stderr).toMatch(/Expected NAME=VALUE/);
  });

  it('judges a policy by the task that it was trained on, unless it is set otherwise', async () => {
    const { manifest, onnx } = untrainedBundle(join(folder, 'lying'), 'quadruped', 'rise');
    const training = {
      command: 'reverie train rise --set walk_m_s=0.3',
      seed: 1,
      env_steps: 1,
      robot_minutes: 1,
      wall_minutes: 1,
      version: '0.1.0',
    };
    const trainedOn = (parameters?: Record<string, unknown>) =>
      writeBundle(join(folder, 'lying'), {
        manifest: { ...manifest, training: { ...training, ...(parameters && { parameters }) } },
        onnx,
      }).path;
    const judged = async (path: string, ...set: string[]) => {
      const outcome = await reverie(
        ['eval', path, '--episodes', '1', '--seconds', '4', '--json'].concat(
          set.flatMap((s) => ['--set', s]),
        ),
      );
      expect(outcome.stderr).toBe('');
      return lastJson(outcome);
    };
    const walking = await judged(trainedOn({ walk_m_s: 0.3 }));
    expect(await judged(trainedOn(), 'walk_m_s=0.3')).toEqual(walking);
    expect(await judged(trainedOn({ walk_m_s: 0.1 }), 'walk_m_s=0.3')).toEqual(walking);
    expect(await judged(trainedOn())).not.toEqual(walking);
    const unknown = await reverie(['eval', trainedOn({ speed: 3 })]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/lying\/manifest\.json: training\.parameters.*"speed"/s);
  });

  it('passes on what a worker finds wrong with the network', async () => {
    const { manifest, onnx } = untrainedBundle(join(folder, 'whole'), 'arm', 'reach');
    const network = { ...manifest.network, outputs: { action: 'torque' } };
    const { path } = writeBundle(join(folder, 'other'), { manifest: { ...manifest, network }, onnx });
    const { code, stdout, stderr } = await reverie(['eval', path, '--episodes', '3', '--json']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^reverie: .*policy\.onnx: no output "torque"; there are .*action/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses a network that was cut short, and one that was changed', async () => {
    const { path } = untrainedBundle(join(folder, 'damaged'), 'arm', 'reach');
    appendFileSync(join(path, 'policy.onnx'), 'x');
    expect((await reverie(['eval', path])).stderr).toMatch(/policy\.onnx: its \d+ bytes have SHA-256/);
    truncateSync(join(path, 'policy.onnx'), 100);
    const cut = await reverie(['eval', path]);
    expect(cut.code).toBe(2);
    expect(cut.stderr).toMatch(/policy\.onnx: its 100 bytes have SHA-256/);
    expect(cut.stderr).not.toMatch(/\n {4}at /);
  });
});
