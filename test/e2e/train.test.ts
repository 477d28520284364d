import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { readCheckpoint } from '../../src/learn/trainer/checkpoint.js';
import { readMetrics } from '../../src/learn/trainer/metrics.js';
import { readBundle } from '../../src/policy/bundle.js';

const MAIN = join(packageRoot, 'dist/src/cli/main.js');

/** Small nets and few steps: what is tested here is the run, not what it learns. */
const SMALL = `
learner: { critic_hidden: [32, 32], actor_hidden: [32, 32], batch: 32 }
recipe: { steps: 1600, warmup: 256, environments: 2, replay: 4000, evaluation: { episodes: 2, seconds_each: 1, steps_per_round: 40 }, stop_after: 99 }
`;

/** Where the finished policy's figures are not looked at. */
const FEW = ['--eval-episodes', '3'];

let folder: string;
let config: string;
const out = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-train-'));
  config = join(folder, 'small.yaml');
  writeFileSync(config, SMALL);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function args(name: string, ...more: string[]): string[] {
  return [MAIN, 'train', 'walk', '--workers', '1', '--config', config, '--out', out(name), '--json', ...more];
}

function train(name: string, ...more: string[]) {
  return spawnSync(process.execPath, args(name, ...more), { encoding: 'utf8', cwd: folder });
}

describe('reverie train', () => {
  it('ends with a bundle, an evaluation on other seeds, metrics and a curve', () => {
    const run = train('whole', '--seed', '3');
    expect(run.stderr).not.toContain('Error');
    expect(run.status).toBe(0);
    const result = JSON.parse(run.stdout.trim().split('\n').at(-1)!);
    expect(result).toMatchObject({ robot: 'quadruped', task: 'walk', seed: 3, env_steps: 1600 });
    expect(result.eval.episodes).toBe(20);
    expect(result.updates).toBeGreaterThan(500);
    const { manifest } = readBundle(result.bundle);
    expect(manifest.training).toMatchObject({ seed: 3, env_steps: 1600 });
    expect(manifest.joints).toHaveLength(12);
    expect(readFileSync(join(out('whole'), 'curve.svg'), 'utf8')).toMatch(/^<svg/);
    const rows = readMetrics(join(out('whole'), 'metrics.jsonl'));
    expect(rows.some((row) => typeof row.eval_falls === 'number')).toBe(true);
    expect(rows.some((row) => typeof row.critic_loss === 'number')).toBe(true);
  });

  it('writes the same metrics and the same policy for the same seed, bit for bit', () => {
    expect(train('again', '--seed', '3', ...FEW).status).toBe(0);
    for (const file of ['metrics.jsonl', 'policy/policy.onnx'])
      expect(readFileSync(join(out('again'), file)).equals(readFileSync(join(out('whole'), file)))).toBe(
        true,
      );
  });

  it('stops at Ctrl-C with its checkpoint and goes on from there', async () => {
    const child = spawn(process.execPath, args('stopped', '--seed', '4', ...FEW), {
      cwd: folder,
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const metrics = join(out('stopped'), 'metrics.jsonl');
    for (;;) {
      await sleep(100);
      try {
        if (readMetrics(metrics).some((row) => row.step >= 512)) break;
      } catch {
        // Not there yet.
      }
    }
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const { steps } = readCheckpoint(join(out('stopped'), 'checkpoint.bin')).state as { steps: number };
    expect(steps).toBeGreaterThanOrEqual(512);
    expect(steps).toBeLessThan(1600);
    const resumed = train('stopped', '--seed', '4', ...FEW);
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).toContain(`at step ${steps}`);
    expect(JSON.parse(resumed.stdout.trim().split('\n').at(-1)!).env_steps).toBe(1600);
  });

  it('goes on from the checkpoint before when the newest is cut short', () => {
    const path = join(out('stopped'), 'checkpoint.bin');
    truncateSync(path, 1000);
    const run = train('stopped', '--seed', '4', ...FEW);
    expect(run.stderr).toContain('cut short');
    expect(run.status).toBe(0);
  });

  it('refuses a replay that lost transitions, and leaves the checkpoint alone', () => {
    const path = join(out('whole'), 'checkpoint.bin');
    const before = readFileSync(path);
    truncateSync(join(out('whole'), 'replay.bin'), 20_000);
    const run = train('whole', '--seed', '3');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--accept-loss');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses to go on with another configuration', () => {
    const run = train('again', '--seed', '5');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('seed');
  });

  it.each([
    [['dance'], 'no task "dance"'],
    [['walk', '--robot', 'nobody'], 'no robot "nobody"'],
    [['walk', '--robot', 'arm'], 'needs a legged robot'],
    [['walk', '--preset', 'magic'], 'no SAC preset "magic"'],
  ])('refuses %j in one line', (given, message) => {
    const run = spawnSync(process.execPath, [MAIN, 'train', ...given, '--out', out('none')], {
      encoding: 'utf8',
    });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toContain('    at ');
  });
});
