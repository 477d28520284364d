/** The other end of `main.ts`: subscribes to everything and notes how old joint states are. */
import { openTransport, type TransportName } from '../../src/ros/transport/open.js';
import { qosProfiles } from '../../src/ros/transport/qos.js';

/** Of `header.stamp`, which comes first in the message, behind four bytes of CDR header. */
const SEC = 4;
const NANOSEC = 8;

let ages_ms: number[] = [];
const transport = await openTransport(process.argv[2] as TransportName);
const node = transport.node('listener', '/');
node.subscribe('/joint_states', 'sensor_msgs/msg/JointState', qosProfiles.default, (bytes) => {
  const now_ns = process.hrtime.bigint();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sent_ns = BigInt(view.getInt32(SEC, true)) * 1_000_000_000n + BigInt(view.getUint32(NANOSEC, true));
  ages_ms.push(Number(now_ns - sent_ns) / 1e6);
});
node.subscribe('/imu/data', 'sensor_msgs/msg/Imu', qosProfiles.sensorData, () => {});
node.subscribe('/tf', 'tf2_msgs/msg/TFMessage', qosProfiles.tf, () => {});
process.on('message', (word) => {
  if (word === 'begin') ages_ms = [];
  process.send!(ages_ms, () => {
    if (word === 'end') process.exit(0);
  });
});
process.send!('ready');
