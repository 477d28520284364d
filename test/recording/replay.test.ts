import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RobotProcess } from '../../src/control/robotProcess.js';
import { type RecordedEpisode, readRecording } from '../../src/recording/read.js';
import { Recorder } from '../../src/recording/recorder.js';
import { Replayer } from '../../src/recording/replayer.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { stillHand } from '../../src/teleop/hand.js';
import { TeleopSession } from '../../src/teleop/session.js';
import { driverModule, eventually } from '../control/support.js';

/** With watchdogs that a busy machine does not set off. */
const arm: RobotSpec = (() => {
  const { spec } = loadRobot('arm');
  const watchdog = { ...spec.watchdog, sensor_age_s: 0.5, sensor_lost_s: 1, command_age_s: 1 };
  const person = { ...spec.person, deadman_s: 1 };
  return { ...spec, watchdog, person, stop: { ...spec.stop, seconds: 0.5 } };
})();
const folder = mkdtempSync(join(tmpdir(), 'reverie-replay-'));
let robot: RobotProcess;
let episode: RecordedEpisode;

/** Leads the robot to a pose by its name, with a hand on the switch all the way. */
async function lead(session: TeleopSession, pose: string): Promise<void> {
  await session.takeOver();
  session.goTo(pose);
  const timer = setInterval(() => session.move(stillHand), 20);
  await eventually(pose, () => session.heading === undefined, 60);
  clearInterval(timer);
}

/** Without a person; taken up anew, as by its operator, where a pause of the machine has stopped it. */
async function free(): Promise<void> {
  if (robot.status().authority === 'stop') {
    await robot.reset();
    await robot.arm();
  }
  await robot.release();
}

/** Samples between which a speed is taken: over less, what the torque limit makes of the sensors' noise shows. */
const APART = 5;

/** What the drives are told, sampled while something happens. */
async function watched<T>(work: Promise<T>): Promise<{ result: T; way: Float64Array[]; fastest: number }> {
  const observer = robot.observe();
  const way: Float64Array[] = [];
  const times_s: number[] = [];
  let fastest = 0;
  const timer = setInterval(() => {
    observer.update();
    const { command } = observer;
    if (command.time_s <= (times_s.at(-1) ?? 0)) return;
    times_s.push(command.time_s);
    way.push(command.position_rad.slice());
    if (way.length <= APART) return;
    const dt_s = command.time_s - times_s.at(-1 - APART)!;
    const before = way.at(-1 - APART)!;
    arm.joints.forEach((joint, j) => {
      const speed = Math.abs(command.position_rad[j] - before[j]) / dt_s;
      fastest = Math.max(fastest, speed / joint.velocity_rad_s);
    });
  }, 10);
  const result = await work.finally(() => clearInterval(timer));
  return { result, way, fastest };
}

beforeAll(async () => {
  robot = await RobotProcess.start({
    spec: arm,
    driver: {
      module: driverModule('../../sim/realtimeDriver.js'),
      options: { robot: 'arm', seed: 1, randomisation: 'none' },
    },
    task: 'reach',
    explore: 0,
    seed: 1,
    fifo: true,
  });
  await robot.arm();
  await eventually('home', () => robot.status().mode === 'hold' || robot.status().mode === 'run');
  const session = new TeleopSession(robot);
  const path = join(folder, 'led.mcap');
  const recorder = await Recorder.start(robot, {
    path,
    task: 'to the rest and back',
    operator: 'anna',
    episodes: 'whole',
    onEnded: () => {},
  });
  await lead(session, 'rest');
  await recorder.stop();
  session.close();
  episode = (await readRecording(path)).episodes[0];
});
afterAll(async () => {
  await robot?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('goes the recorded way at a person’s speed, after an eased start', async () => {
  // It lies at the end of that way, and has to come to its beginning first.
  await free();
  const replayer = new Replayer(robot, episode, 1);
  const { way, fastest } = await watched(replayer.run(() => {}));
  const end = episode.commands.at(-1)!.message.position;
  way.at(-1)!.forEach((q, j) => {
    expect(q).toBeCloseTo(end[j], 1);
  });
  expect(fastest).toBeLessThan(1.1 * arm.person.joint_share);
  expect(replayer.result.mean_error_rad).toBeLessThan(0.1);
});

it('waits for the robot where the recording is faster than a person may be', async () => {
  const [first] = episode.commands;
  const quicker = (s: number) => first.received_s + (s - first.received_s) / 8;
  const hurried: RecordedEpisode = {
    ...episode,
    begin_s: first.received_s,
    end_s: Number.POSITIVE_INFINITY,
    commands: episode.commands.map((c) => ({ ...c, received_s: quicker(c.received_s) })),
  };
  await free();
  const replayer = new Replayer(robot, hurried, 1);
  const { way, fastest } = await watched(replayer.run(() => {}));
  const { seconds, took_s } = replayer.result;
  expect(took_s).toBeGreaterThan(1.5 * seconds);
  expect(fastest).toBeLessThan(1.1 * arm.person.joint_share);
  // No target of the way was passed over: whatever was recorded was nearly reached.
  for (const { message } of episode.commands.filter((_, i) => i % 50 === 0)) {
    const nearest = Math.min(
      ...way.map((q) => Math.max(...q.map((x, j) => Math.abs(x - message.position[j])))),
    );
    expect(nearest).toBeLessThan(0.12);
  }
});

it('refuses an episode without commands', () => {
  expect(() => new Replayer(robot, { ...episode, commands: [] }, 1)).toThrow(/no commands to replay/);
});
