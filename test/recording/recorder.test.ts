import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RobotProcess } from '../../src/control/robotProcess.js';
import { Dataset } from '../../src/datasets/reader.js';
import { exportRecording } from '../../src/recording/export.js';
import { readRecording } from '../../src/recording/read.js';
import { Recorder } from '../../src/recording/recorder.js';
import { loadRobot } from '../../src/robot/load.js';
import { eventually, inMemory, startQuadruped, stepWhere, untrainedBundle } from '../control/support.js';
import { jointPositions, readMcap } from './mcap.js';

const folder = mkdtempSync(join(tmpdir(), 'reverie-recorder-'));
const path = join(folder, 'walk.mcap');
let robot: RobotProcess;
let stepsSeen = 0;

beforeAll(async () => {
  robot = await startQuadruped();
  await robot.setPolicy(inMemory(await untrainedBundle()));
  const recorder = await Recorder.start(robot, {
    path,
    task: 'walk forward',
    operator: 'anna',
    episodes: 'control',
    onEnded: () => {},
  });
  robot.steps.subscribe(() => {
    stepsSeen++;
  });
  await robot.arm();
  await stepWhere(robot, (s) => s.step === 15);
  recorder.image(
    'front',
    2,
    2,
    Uint8Array.from({ length: 12 }, (_, i) => i),
    1e-3 * performance.now(),
  );
  recorder.label('success', 'as it should be');
  const report = await recorder.stop();
  expect(report).toMatchObject({ kind: 'ended', lost: 0 });
});
afterAll(async () => {
  await robot.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a recording', () => {
  it('is read by a reader that shares nothing with the writer', () => {
    const { messages, counted, metadata, schemas } = readMcap(path);
    expect(messages).toHaveLength(counted);
    expect(metadata.get('reverie')?.get('robot')).toBe('quadruped');
    expect([...schemas.keys()]).toEqual(
      expect.arrayContaining([
        'sensor_msgs/msg/JointState',
        'sensor_msgs/msg/Imu',
        'reverie_msgs/msg/PolicyStep',
      ]),
    );
    const joints = messages.filter((m) => m.topic === '/joint_states');
    const { names, positions } = jointPositions(joints.at(-1)!.data);
    expect(names).toEqual(robot.options.spec.joints.map((j) => j.name));
    positions.forEach((q, j) => {
      const [low, high] = robot.options.spec.joints[j].position_rad;
      expect(q).toBeGreaterThan(low - 0.1);
      expect(q).toBeLessThan(high + 0.1);
    });
  });

  it('has each stream at its own rate, with when it was captured and when received', () => {
    const { messages } = readMcap(path);
    const of = (topic: string) => messages.filter((m) => m.topic === topic);
    const joints = of('/joint_states');
    const commands = of('/joint_commands');
    // Each tick has its command; a late tick may find no new sample, or one behind which others were missed.
    expect(commands.length).toBeGreaterThan(500);
    expect(joints.length).toBeLessThanOrEqual(commands.length);
    const seconds = Number(commands.at(-1)!.logTime - commands[0].logTime) / 1e9;
    expect(of('/imu').length).toBeLessThanOrEqual(200 * seconds + 2);
    expect(of('/imu').length).toBeGreaterThan(0.2 * joints.length);
    expect(of('/safety').length).toBeLessThanOrEqual(50 * seconds + 2);
    expect(of('/safety').length).toBeGreaterThan(0.05 * commands.length);
    for (const stream of [joints, of('/imu')]) {
      for (let i = 1; i < stream.length; i++) {
        expect(stream[i].publishTime).toBeGreaterThan(stream[i - 1].publishTime);
        expect(stream[i].logTime).toBeGreaterThan(stream[i].publishTime);
      }
    }
  });

  it('has the episode with its label, and becomes a dataset with the same numbers', async () => {
    const { episodes } = await readRecording(path);
    expect(episodes).toHaveLength(1);
    const [episode] = episodes;
    expect(episode).toMatchObject({
      task: 'walk forward',
      outcome: 'success',
      operator: 'anna',
      notes: 'as it should be',
    });
    expect(episode.steps.length).toBeGreaterThanOrEqual(15);
    expect(episode.steps.length).toBeLessThanOrEqual(stepsSeen);
    const out = join(folder, 'walk');
    const { spec } = robot.options;
    expect(await exportRecording(path, spec, out)).toMatchObject({
      episodes: 1,
      frames: episode.steps.length,
    });
    const dataset = await Dataset.open(out);
    const { columns } = await dataset.episode(0);
    const captured = columns.capture_time as Float64Array;
    const period_s = 1 / spec.rates.policy_hz;
    for (let i = 1; i < captured.length; i++) {
      expect(captured[i]).toBeGreaterThan(captured[i - 1]);
      expect(columns.receive_time[i]).toBeGreaterThan(captured[i]);
    }
    expect((captured.at(-1)! - captured[0]) / (captured.length - 1)).toBeCloseTo(period_s, 1);
    const actions = episode.steps.flatMap((s) => Array.from(s.message.executed));
    expect(Array.from(columns['policy.action'] as Float64Array)).toEqual(actions);
    expect(dataset.features['observation.images.front'].shape).toEqual([2, 2, 3]);
  });

  it('is not exported for a robot with other joints', async () => {
    const { spec } = loadRobot('arm');
    await expect(exportRecording(path, spec, join(folder, 'other'))).rejects.toThrow(
      /recorded on "quadruped"/,
    );
  });
});

describe('a recorder', () => {
  it('is paused and goes on, discards an episode that is done again, and writes over nothing', async () => {
    const second = join(folder, 'second.mcap');
    const options = { task: 'stand', operator: '', episodes: 'whole', onEnded: () => {} } as const;
    await expect(Recorder.start(robot, { ...options, path })).rejects.toThrow(/never written over/);
    const recorder = await Recorder.start(robot, { ...options, path: second });
    await eventually('messages', () => recorder.status.messages > 200);
    recorder.pause();
    const paused_s = Date.now() / 1e3;
    await new Promise((resolve) => setTimeout(resolve, 400));
    const resumed_s = Date.now() / 1e3;
    recorder.resume();
    const { messages: before } = recorder.status;
    await eventually('more messages', () => recorder.status.messages > before + 200);
    recorder.label('discard');
    await recorder.stop();
    const { messages } = readMcap(second);
    const within = messages.filter(({ topic, logTime }) => {
      const at_s = Number(logTime) / 1e9;
      return topic === '/joint_commands' && at_s > paused_s + 0.15 && at_s < resumed_s - 0.15;
    });
    expect(within).toEqual([]);
    expect((await readRecording(second)).episodes).toEqual([]);
  });

  it('cuts episodes where the operator says, and leaves out what was discarded', async () => {
    const led = join(folder, 'led.mcap');
    const recorder = await Recorder.start(robot, {
      path: led,
      task: 'stand',
      operator: 'anna',
      episodes: 'operator',
      onEnded: () => {},
    });
    const more = async () => {
      const { messages } = recorder.status;
      await eventually('messages', () => recorder.status.messages > messages + 100);
    };
    for (const outcome of ['success', 'discard', 'failure'] as const) {
      await more();
      expect(recorder.running).toBe(true);
      recorder.label(outcome);
      expect(recorder.running).toBe(false);
      recorder.next();
    }
    await more();
    await recorder.stop();
    const { episodes } = await readRecording(led);
    expect(episodes.map((e) => [e.number, e.outcome])).toEqual([
      [0, 'success'],
      [2, 'failure'],
      [3, ''],
    ]);
    for (const { begin_s, end_s } of episodes) expect(end_s).toBeGreaterThan(begin_s);
  });

  it('ends cleanly when the disk is nearly full, and the robot goes on', async () => {
    const third = join(folder, 'third.mcap');
    let reason = '';
    const recorder = await Recorder.start(robot, {
      path: third,
      task: 'stand',
      operator: '',
      episodes: 'whole',
      reserve_bytes: 1e18,
      onEnded: (why) => {
        reason = why;
      },
    });
    await eventually('the end', () => reason !== '');
    expect(reason).toMatch(/MB are free/);
    await eventually('the file is closed', () => recorder.status.kind === 'ended');
    expect(readMcap(third).counted).toBeGreaterThanOrEqual(0);
    const { ticks } = robot.status();
    await eventually('the robot goes on', () => robot.status().ticks > ticks + 20);
    await recorder.stop();
  });
});
