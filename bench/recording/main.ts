/**
 * What recording costs, and whether it loses anything: the walking quadruped in real time, 12 joints at
 * 500 Hz, IMU at 200, safety at 50 and a camera of 64 × 64 pixels at 10. Spans with and without a
 * recorder take turns on one robot process each, so that whatever else the machine does falls on both.
 *
 *     node dist/bench/recording/main.js [--minutes 10] [--rounds 5] [--json]
 *
 * The file is read back by a reader that shares nothing with its writer. `minutes` are recorded in all.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { CameraImage, CameraWorkerData } from '../../sim/cameraWorker.js';
import { RobotProcess, type RobotStatus } from '../../src/control/robotProcess.js';
import { readBundle } from '../../src/policy/bundle.js';
import { Recorder } from '../../src/recording/recorder.js';
import type { RecorderReport } from '../../src/recording/recorderWorker.js';
import { loadRobot } from '../../src/robot/load.js';
import { type ForeignMessage, readMcap } from '../../test/recording/mcap.js';
import { machine } from '../measure/machine.js';
import { median } from '../measure/rounds.js';

const CAMERA = { name: 'front', width: 64, height: 64, rate_hz: 10 };
const VIEW = { ...CAMERA, from_m: [1, 0.6, 0.5], at_m: [0, 0, 0.2], fov_rad: 0.8 };
const STREAMS = {
  joints: '/joint_states',
  commands: '/joint_commands',
  imu: '/imu',
  safety: '/safety',
  camera: `/camera/${CAMERA.name}/image_raw`,
};
const SETTLE_MS = 2000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const span_s = (60 * Number(values.minutes)) / rounds;
const robotFile = loadRobot('quadruped');
const folder = mkdtempSync(join(tmpdir(), 'reverie-bench-recording-'));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Span {
  readonly seconds: number;
  /** Of the whole process and all its threads, as a share of one core. */
  readonly process_share: number;
  readonly before: RobotStatus;
  readonly after: RobotStatus;
  readonly recorded?: Recorded;
}

interface Recorded {
  readonly report: RecorderReport;
  /** Messages a second of each stream, from its first to its last. */
  readonly rates_hz: Readonly<Record<string, number>>;
  /** Control ticks whose command is not in the file. */
  readonly commands_lost: number;
  readonly images_lost: number;
}

/** Begins a recording. @returns what ends it */
async function record(robot: RobotProcess, path: string): Promise<() => Promise<Recorded>> {
  const recorder = await Recorder.start(robot, {
    path,
    task: 'walk',
    operator: 'bench',
    episodes: 'control',
    onEnded: (reason) => process.stderr.write(`the recording ended: ${reason}\n`),
  });
  const ticksBefore = robot.status().ticks;
  const { name, rate_hz: wanted_hz, ...view } = VIEW;
  const workerData: CameraWorkerData = {
    robotPath: robotFile.path,
    buffers: robot.shared,
    view,
    rate_hz: wanted_hz,
  };
  const camera = new Worker(new URL('../../sim/cameraWorker.js', import.meta.url), { workerData });
  let images = 0;
  camera.on('message', ({ time_s, rgb }: CameraImage) => {
    images++;
    recorder.image(name, view.width, view.height, rgb, time_s);
  });
  return async () => {
    camera.postMessage('stop');
    await new Promise((resolve) => camera.once('exit', resolve));
    const ticks = robot.status().ticks - ticksBefore;
    const report = await recorder.stop();
    const { messages, counted } = readMcap(path);
    if (messages.length !== counted) throw new Error(`${path}: counts ${counted} of ${messages.length}`);
    const of = (topic: string) => messages.filter((m) => m.topic === topic);
    const rates_hz = Object.fromEntries(
      Object.entries(STREAMS).map(([key, topic]) => [key, rate_hz(of(topic))]),
    );
    return {
      report,
      rates_hz,
      commands_lost: Math.max(0, ticks - of('/joint_commands').length),
      images_lost: images - of(STREAMS.camera).length,
    };
  };
}

/** One robot process for a while. @param path of the recording, where there is to be one */
async function span(path?: string): Promise<Span> {
  const robot = await RobotProcess.start({
    spec: robotFile.spec,
    driver: {
      module: new URL('../../sim/realtimeDriver.js', import.meta.url).href,
      options: { robot: robotFile.path, seed: 1, randomisation: 'none' },
    },
    task: 'walk',
    explore: 0,
    seed: 1,
    fifo: true,
  });
  try {
    await robot.setPolicy(readBundle('quadruped-walk'));
    await robot.arm();
    await sleep(SETTLE_MS);
    const stopRecording = path === undefined ? undefined : await record(robot, path);
    const before = robot.status();
    const cpu = process.cpuUsage();
    const began_ms = performance.now();
    await sleep(1e3 * span_s);
    const seconds = (performance.now() - began_ms) / 1e3;
    const used = process.cpuUsage(cpu);
    const after = robot.status();
    const process_share = (used.user + used.system) / 1e6 / seconds;
    return { seconds, process_share, before, after, recorded: await stopRecording?.() };
  } finally {
    await robot.close();
  }
}

/** Middle values over spans; lateness is that of whole spans, the start of their process included. */
function figures(spans: readonly Span[]) {
  const middle = (of: (s: Span) => number) => round(median(spans.map(of)));
  return {
    ticks: spans.reduce((sum, s) => sum + s.after.ticks - s.before.ticks, 0),
    missed_ticks: spans.reduce((sum, s) => sum + s.after.missed_ticks - s.before.missed_ticks, 0),
    late_p50_ms: middle((s) => s.after.late_p50_ms),
    late_p99_ms: middle((s) => s.after.late_p99_ms),
    late_p999_ms: middle((s) => s.after.late_p999_ms),
    process_share: middle((s) => s.process_share),
  };
}

function rate_hz(stream: readonly ForeignMessage[]): number {
  const seconds = Number(stream.at(-1)!.logTime - stream[0].logTime) / 1e9;
  return round((stream.length - 1) / seconds);
}

function round(x: number): number {
  return Number(x.toPrecision(3));
}

const without: Span[] = [];
const recording: Span[] = [];
let bytes = 0;
try {
  for (let r = 0; r < rounds; r++) {
    const path = join(folder, `${r}.mcap`);
    const turns = [async () => without.push(await span()), async () => recording.push(await span(path))];
    for (const turn of r % 2 ? turns.toReversed() : turns) await turn();
    bytes += statSync(path).size;
    rmSync(path);
    process.stderr.write(`round ${r + 1} of ${rounds}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const recorded = recording.map((s) => s.recorded!);
const total = (of: (r: Recorded) => number) => recorded.reduce((sum, r) => sum + of(r), 0);
const seconds = recording.reduce((sum, s) => sum + s.seconds, 0);
const result = {
  machine: machine(),
  seconds: round(seconds),
  messages: total((r) => r.report.messages),
  mb: round(bytes / 1e6),
  ticks_lost: total((r) => r.report.lost),
  commands_lost: total((r) => r.commands_lost),
  images_lost: total((r) => r.images_lost),
  recorder_share: round(total((r) => r.report.cpu_s) / seconds),
  rates_hz: recorded.map((r) => r.rates_hz),
  without: figures(without),
  recording: figures(recording),
};
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  const { without: a, recording: b } = result;
  process.stdout.write(
    [
      `${result.seconds} s recorded, ${result.mb} MB; ${result.machine}`,
      `lost: ${result.ticks_lost} ticks, ${result.commands_lost} commands, ${result.images_lost} images`,
      `recorder: ${(100 * result.recorder_share).toFixed(1)} % of a core`,
      `late p50/p99/p99.9 without ${a.late_p50_ms}/${a.late_p99_ms}/${a.late_p999_ms} ms, with ${b.late_p50_ms}/${b.late_p99_ms}/${b.late_p999_ms} ms`,
      `ticks missed without ${a.missed_ticks} of ${a.ticks}, with ${b.missed_ticks} of ${b.ticks}`,
      '',
    ].join('\n'),
  );
}
