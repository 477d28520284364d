import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Document, parse } from 'yaml';
import { UserError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/files.js';
import { trainRun } from '../../src/cli/trainRun.js';
import { RobotProcess } from '../../src/control/robotProcess.js';
import { admit } from '../../src/policy/admission.js';
import { type Bundle, readBundle } from '../../src/policy/bundle.js';
import { loadRobot, type Robot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { driverModule, stepWhere } from '../control/support.js';

/** Small nets and few steps: what is tested is the way of a picture, not what is learned from it. */
const SMALL = `
learner: { batch: 4, length: 8, horizon: 3, deter: 16, hidden: 8, blocks: 2, stoch: 4, classes: 4, units: 16, layers: 1, bins: 31, patches: 2 }
recipe: { steps: 128, warmup: 96, environments: 2, replay: 1000, updates_per_step: 0.2, evaluation: { episodes: 1, seconds_each: 1, steps_per_round: 8 }, stop_after: 99 }
`;
const PIXELS = 256;
const MAIN = join(packageRoot, 'dist/src/cli/main.js');

let folder: string;
let robot: Robot;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-camera-'));
  writeFileSync(join(folder, 'small.yaml'), SMALL);
  robot = armWith('seeing', 16);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The arm with a depth camera beside its base that looks ahead and down, as a user would give it one. */
function armWith(name: string, side: number, others: object = { kind: 'depth', range_m: [0.1, 0.8] }): Robot {
  const path = join(folder, name);
  mkdirSync(path);
  cpSync(join(packageRoot, 'robots/arm/model.xml'), join(path, 'model.xml'));
  const robot = new Document(
    parse(readFileSync(join(packageRoot, 'robots/arm/robot.yaml'), 'utf8'), { merge: true }),
  );
  robot.set('camera', {
    ...{ width: side, height: side, fov_rad: 1, position_m: [-0.1, 0, 0.4], rpy_rad: [0, 0.8, 0] },
    ...others,
  });
  writeFileSync(join(path, 'robot.yaml'), robot.toString());
  return loadRobot(path);
}

const train = (out: string, of: Robot, config = 'small.yaml', experience?: string) =>
  trainRun({
    ...{ task: 'reach', robot: of.path, learner: 'dreamer', engine: 'wasm', seed: 1, command: '' },
    ...{ workers: 1, evalEpisodes: 1, onNote: () => {} },
    ...{ config: join(folder, config), out: join(folder, out), experience },
  });

/** In real time, with watchdogs that a busy machine does not set off. */
const start = ({ spec, path }: Robot) =>
  RobotProcess.start({
    spec: {
      ...spec,
      watchdog: { ...spec.watchdog, sensor_age_s: 0.5, sensor_lost_s: 1, command_age_s: 1 },
    },
    driver: {
      module: driverModule('../../sim/realtimeDriver.js'),
      options: { robot: path, seed: 1, randomisation: 'none' },
    },
    ...{ task: 'reach', explore: 0, seed: 1, fifo: false },
  });

describe('a robot with a depth camera', { timeout: 300_000 }, () => {
  let bundle: Bundle;

  it('is learned from with its pictures', async () => {
    const { worldModel } = await train('run', robot);
    expect(worldModel!.open_loop_error.length).toBeGreaterThan(0);
    expect(worldModel!.open_loop_image_error!.length).toBeGreaterThan(0);
    bundle = readBundle(join(folder, 'run/policy'));
    expect(bundle.manifest.observation.at(-1)).toEqual({
      ...{ name: 'camera_depth', size: PIXELS, unit: '1' },
      image: { height: 16, width: 16, channels: 1 },
    });
    expect(readFileSync(join(folder, 'run/dream.svg'), 'utf8')).toContain('data:image/bmp');
  });

  it('is judged in simulation with them', () => {
    const judge = ['eval', 'run/policy', '--episodes', '1', '--seconds', '1', '--json', '--robot'];
    const run = spawnSync(process.execPath, [MAIN, ...judge, robot.path], { encoding: 'utf8', cwd: folder });
    expect(run.stderr).not.toContain('Error');
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout.trim().split('\n').at(-1)!)).toMatchObject({ episodes: 1 });
  });

  it('is moved by the policy in real time, which sees what the simulated camera sees', async () => {
    const running = await start(robot);
    try {
      expect(await running.setPolicy(bundle)).toMatchObject({ admitted: true });
      expect(await running.arm()).toBe(true);
      const { observation } = await stepWhere(running, ({ policy, step }) => policy > 0 && step > 2);
      const picture = observation.subarray(observation.length - PIXELS);
      // The floor alone has one shade in each of 16 rows.
      expect(new Set(picture).size).toBeGreaterThan(20);
      expect(Math.max(...picture)).toBeLessThanOrEqual(1);
    } finally {
      await running.close();
    }
  });

  it('with another camera refuses the policy, and its run cannot be gone on with', async () => {
    const other = armWith('sharper', 32);
    const { contract } = createTask('reach', other.spec);
    expect(admit(bundle.manifest, { spec: other.spec, contract })).toEqual({
      admitted: false,
      reasons: [
        'part 5 of the observation: the policy expects camera_depth (a picture of 16×16×1, 1), the task gives camera_depth (a picture of 32×32×1, 1)',
      ],
    });
    const error = await train('run', other).catch((e) => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/this run has camera \{"kind":"depth","width":16,.*, not .*"width":32/);
    // As many numbers, which mean something else.
    const gray = armWith('gray', 16, { kind: 'gray' });
    const foreign = await train('of-another', gray, 'small.yaml', join(folder, 'run')).catch((e) => e);
    expect(foreign).toBeInstanceOf(UserError);
    expect(foreign.message).toMatch(/this run has camera .*"depth".*, its experience is not of .*"gray"/);
  });

  it('is told where its replay would not fit into memory', async () => {
    writeFileSync(join(folder, 'huge.yaml'), SMALL.replace('replay: 1000', 'replay: 1000000000'));
    const error = await train('huge', robot, 'huge.yaml').catch((e) => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /a replay of 1000000000 transitions with observations of 280 numbers takes 22\d\d\.\d GB.*"replay" of a recipe/s,
    );
  });
});
