import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demonstrate } from '../../sim/demonstrate.js';
import { Environment } from '../../sim/environment.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { trainingRandomisation } from '../../sim/randomise.js';
import { UserError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/files.js';
import { type TrainRunOptions, trainRun } from '../../src/cli/trainRun.js';
import { robotFeatures } from '../../src/datasets/robotFrames.js';
import { DatasetWriter } from '../../src/datasets/writer.js';
import { worldModelSchema } from '../../src/fleet/telemetry.js';
import { readMetrics } from '../../src/learn/trainer/metrics.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { eventually } from '../control/support.js';

const MAIN = join(packageRoot, 'dist/src/cli/main.js');

/** Small nets and few steps: what is tested here is the run, not what it learns. */
const SMALL = `
learner: { batch: 4, length: 8, horizon: 3, deter: 16, hidden: 8, blocks: 2, stoch: 4, classes: 4, units: 16, layers: 1, bins: 31 }
recipe: { steps: 640, warmup: 256, environments: 2, replay: 4000, updates_per_step: 0.1, pretrain: 20, evaluation: { episodes: 2, seconds_each: 1, steps_per_round: 8 }, stop_after: 99 }
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-dreamer-'));
  writeFileSync(join(folder, 'small.yaml'), SMALL);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function reverie(...args: string[]) {
  const run = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: folder });
  return { ...run, json: () => JSON.parse(run.stdout.trim().split('\n').at(-1)!) };
}

/** Each command takes a second to start: what needs no process of its own is called. */
const train = async (out: string, more: Partial<TrainRunOptions> = {}) => {
  const notes: string[] = [];
  const result = await trainRun({
    ...{ task: 'reach', robot: 'arm', learner: 'dreamer', seed: 1, workers: 1, evalEpisodes: 1, command: '' },
    ...{
      config: join(folder, 'small.yaml'),
      out: join(folder, out),
      onNote: (line) => notes.push(line),
      ...more,
    },
  });
  return { ...result, notes: notes.join('\n') };
};

describe('reverie train --learner dreamer', { timeout: 300_000 }, () => {
  it('ends as SAC does, with what its world model is worth, and a picture of what it expects', () => {
    const run = reverie(
      ...['train', 'reach', '--robot', 'arm', '--learner', 'dreamer', '--workers', '1', '--json'],
      ...['--config', 'small.yaml', '--out', 'whole', '--eval-episodes', '3'],
    );
    expect(run.stderr).not.toContain('Error');
    expect(run.status).toBe(0);
    const result = run.json();
    expect(result).toMatchObject({ robot: 'arm', task: 'reach', env_steps: 640 });
    expect(result.eval.episodes).toBe(3);
    expect(result.world_model.kl_nats).toBeGreaterThan(0);
    expect(result.world_model.open_loop_error.map((e: { horizon_s: number }) => e.horizon_s)).toEqual([
      0.05, 0.1,
    ]);
    const rows = readMetrics(join(folder, 'whole/metrics.jsonl'));
    expect(rows.some((row) => typeof row.open_loop_error_1 === 'number')).toBe(true);
    expect(rows.some((row) => typeof row.reconstruction_loss === 'number')).toBe(true);
    expect(readFileSync(join(folder, 'whole/dream.svg'), 'utf8')).toContain('class="dreamt"');
    const dream = JSON.parse(readFileSync(join(folder, 'whole/dream.json'), 'utf8'));
    expect(worldModelSchema.parse(dream)).toEqual(dream);
    const { network } = readBundle(join(folder, 'whole/policy')).manifest;
    expect(network.state.map(({ input }) => input)).toEqual(['h', 'z']);
    expect(network.imagination?.longest_s).toBeGreaterThan(0);
  });

  it('writes a policy that is judged and exported as any other', () => {
    const judged = reverie('eval', 'whole/policy', '--episodes', '2', '--seconds', '1', '--json');
    expect(judged.status).toBe(0);
    expect(judged.json()).toMatchObject({ episodes: 2, falls: 0 });
    const exported = reverie('export', 'whole/policy', '--out', 'exported', '--json');
    expect(exported.status).toBe(0);
    expect(exported.json().max_difference).toBeLessThan(1e-4);
    const contract = JSON.parse(readFileSync(join(folder, 'exported/contract.json'), 'utf8'));
    expect(contract.state).toHaveLength(2);
    expect(contract.previous_action).toBe('previous_action');
  });

  it('goes on from its checkpoint, and learns first from what another run has lived through', async () => {
    const experience = join(folder, 'whole');
    const first = await train('second', { experience, steps: 64 });
    expect(first.notes).toContain(`learning from 640 recorded transitions of ${experience} first`);
    expect(first.updates).toBeGreaterThanOrEqual(20);
    const again = await train('second', { experience, steps: 64 });
    expect(again.notes).toContain('second at step 64');
    expect(again.worldModel!.kl_nats).toBe(first.worldModel!.kl_nats);
  });

  it('refuses what does not fit in one line', () => {
    const run = reverie(
      'train',
      'reach',
      '--robot',
      'arm',
      '--learner',
      'dreamer',
      '--experience',
      'nowhere',
    );
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('nowhere: not a training run (no nowhere/run.json)');
    expect(run.stderr).not.toContain('    at ');
  });

  it('learns first from what somebody has shown', async () => {
    const demos = join(folder, 'demos');
    const robot = loadRobot('arm-table');
    const task = createTask('pick', robot.spec);
    const env = new Environment(await loadMujoco(), robot, task, trainingRandomisation, 40);
    const { episode } = demonstrate(env, 1, 0);
    env.close();
    const writer = new DatasetWriter(demos, {
      ...{ robot: robot.spec.name, fps: robot.spec.rates.policy_hz },
      features: robotFeatures(robot.spec, task.contract),
    });
    await writer.add(episode);
    await writer.close();
    const run = await train('shown', { task: 'pick', robot: 'arm-table', demos, steps: 16 });
    // The recipe's, before the first step; none is owed for steps of the warm-up.
    expect(run.updates).toBe(20);
    expect(run.notes).toContain(`learning from 40 demonstrated transitions of ${demos} first`);
  });

  it('refuses a preset that is not there', () =>
    refused('refused', { preset: 'huge' }, 'no Dreamer preset "huge"; sizes are micro, 1M'));

  it('refuses a checkpoint of another size, and sequences longer than the replay', async () => {
    const config = join(folder, 'other.yaml');
    writeFileSync(config, SMALL.replace('units: 16', 'units: 8'));
    await refused('whole', { config }, 'this run has learner');
    writeFileSync(config, SMALL.replace('length: 8', 'length: 3000'));
    await refused('long', { config }, "the learner's sequences have 3000 steps");
  });

  it('refuses environments of which none would explore', async () => {
    const config = join(folder, 'greedy.yaml');
    writeFileSync(config, SMALL.replace('environments: 2', 'environments: 2, greedy: 2'));
    await refused('greedy', { config }, 'greedy is 2 of 2 environments');
  });
});

async function refused(out: string, given: Partial<TrainRunOptions>, message: string): Promise<void> {
  const error = await train(out, given).catch((e) => e);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toContain(message);
}

describe('a running robot', () => {
  it('is learned from by Dreamer as by SAC, and takes its recurrent policies', async () => {
    const launch = join(folder, 'online.yaml');
    const overrides = SMALL.match(/learner: (.*)/)![1];
    writeFileSync(
      launch,
      `robot: arm\ndriver: { kind: sim }\ntask: reach\nexplore: 1\ngate: { response: slow }\ndashboard: { enabled: false }\nruns: ${join(folder, 'online')}\n` +
        `learner: { kind: dreamer, warmup: 40, evaluate_every: 20, evaluation: { episodes: 1, seconds_each: 1 }, overrides: ${overrides} }\n`,
    );
    const child = spawn(process.execPath, [MAIN, 'run', launch, '--json'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await eventually('updates', () => /learner [1-9]\d*\/s/.test(err), 100);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const summary = JSON.parse(out.trim().split('\n').at(-1)!);
    expect(summary.learner_updates).toBeGreaterThan(0);
    const [run] = readdirSync(join(folder, 'online')).filter((entry) => entry.startsWith('run-'));
    const rows = readMetrics(join(folder, 'online', run, 'learner/learner.jsonl'));
    expect(rows.some((row) => typeof row.reconstruction_loss === 'number')).toBe(true);
  }, 300_000);

  it('refuses to go on with a run of another learner, and demonstrations', () => {
    const launch = join(folder, 'other.launch.yaml');
    const text = `robot: arm\ndriver: { kind: sim }\ntask: reach\n`;
    writeFileSync(launch, `${text}learner: { kind: sac }\n`);
    const other = reverie('learn', launch, '--run', 'new', '--from', 'whole');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('whole: was trained by "dreamer"');
    writeFileSync(launch, `${text}learner: { kind: dreamer, demos: shown }\n`);
    const shown = reverie('learn', launch, '--run', 'new');
    expect(shown.status).toBe(2);
    expect(shown.stderr).toContain('learner.demos goes with kind "sac"');
  });
});
