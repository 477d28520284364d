/**
 * What it costs to be a set of ROS 2 nodes: joint states of 12 joints, IMU and frames at 200 Hz, written
 * into their messages and published to a process that listens, and how old they are when they arrive.
 * Spans with and without publishing take turns, so that whatever else the machine does falls on both.
 *
 *     node dist/bench/ros/main.js [--transport cyclone] [--seconds 4] [--rounds 5] [--json]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadRobot } from '../../src/robot/load.js';
import { RobotState } from '../../src/robot/state.js';
import { ImuStream, JointStateStream, TfStream } from '../../src/ros/robotStreams.js';
import { timeOf } from '../../src/ros/time.js';
import { openTransport, type TransportName } from '../../src/ros/transport/open.js';
import { qosProfiles } from '../../src/ros/transport/qos.js';
import { machine } from '../measure/machine.js';
import { median, quantile } from '../measure/rounds.js';

const RATE_HZ = 200;
const BASE_M = [0, 0, 0.3];
const LOOK_MS = 20;
/** What is under way arrives within this. */
const SETTLE_MS = 500;

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'cyclone' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const name = values.transport as TransportName;
const span_s = Number(values.seconds);

const { spec } = loadRobot('quadruped');
const state = RobotState.for(spec);
const transport = await openTransport(name);
const node = transport.node('bench', '/');
const streams = [
  {
    out: node.advertise('/joint_states', 'sensor_msgs/msg/JointState', qosProfiles.default),
    stream: new JointStateStream(spec),
  },
  {
    out: node.advertise('/imu/data', 'sensor_msgs/msg/Imu', qosProfiles.sensorData),
    stream: new ImuStream(),
  },
] as const;
const frames = {
  out: node.advertise('/tf', 'tf2_msgs/msg/TFMessage', qosProfiles.tf),
  stream: new TfStream(spec),
};

function publish(): void {
  // The clock that all processes of a machine share.
  const stamp = timeOf(Number(process.hrtime.bigint()) / 1e9);
  for (const { out, stream } of streams) out.publish(stream.write(state, stamp));
  frames.out.publish(frames.stream.write(state, BASE_M, stamp));
}

interface Span {
  /** Of one core, by all threads of this process. */
  readonly share: number;
  readonly ticks: number;
}

/** A timer at 200 Hz does something for a while. */
async function span(tick: () => void): Promise<Span> {
  const cpu = process.cpuUsage();
  const began_ms = performance.now();
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      // Late timers are made up for, as far as the rate was asked for.
      while (ticks < ((performance.now() - began_ms) / 1e3) * RATE_HZ) {
        tick();
        ticks++;
      }
      if (performance.now() - began_ms < 1e3 * span_s) return;
      clearInterval(timer);
      resolve();
    }, 1e3 / RATE_HZ);
  });
  const { user, system } = process.cpuUsage(cpu);
  return { share: (user + system) / 1e3 / (performance.now() - began_ms), ticks };
}

const listener = fork(fileURLToPath(new URL('./listener.js', import.meta.url)), [name]);
await once(listener, 'message');
while (!streams.every(({ out }) => out.matched > 0) || frames.out.matched === 0) await sleep(LOOK_MS);
await span(publish);
await sleep(SETTLE_MS);

const costs: number[] = [];
const idles: number[] = [];
let published = 0;
listener.send('begin');
await once(listener, 'message');
for (let round = 0; round < Number(values.rounds); round++) {
  idles.push((await span(() => {})).share);
  const { share, ticks } = await span(publish);
  costs.push(share);
  published += ticks;
}
await sleep(SETTLE_MS);
listener.send('end');
const [ages_ms] = (await once(listener, 'message')) as [number[]];

const result = {
  transport: name,
  rate_hz: RATE_HZ,
  published,
  received: ages_ms.length,
  /** Shares of a core: publishing, the timer alone, and the median over rounds of what is between the two. */
  share_publishing: median(costs),
  share_idle: median(idles),
  share_of_publishing: median(costs.map((share, round) => share - idles[round])),
  latency_p50_ms: quantile(ages_ms, 0.5),
  latency_p99_ms: quantile(ages_ms, 0.99),
  latency_max_ms: quantile(ages_ms, 1),
};
node.close();
await transport.close();
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), results: [result] })}\n`);
else
  process.stdout.write(`${machine()}, ${name}: ${published} × 3 messages at ${RATE_HZ} Hz
cost ${percent(result.share_of_publishing)} of a core (${percent(result.share_publishing)} with its timer, ${percent(result.share_idle)} the timer alone)
joint states arrive after ${result.latency_p50_ms.toFixed(2)} ms (p50), ${result.latency_p99_ms.toFixed(2)} ms (p99), ${result.latency_max_ms.toFixed(2)} ms (most); ${result.received} of ${published}
`);
process.exit(0);
