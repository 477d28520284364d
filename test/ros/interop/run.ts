/**
 * Runs inside a network namespace of its own: sends every golden message and then a long stream
 * through a peer that echoes them, and prints what came back as JSON. Argument: command line of the peer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { decode, encode } from '../../../src/ros/codec.js';
import { openTransport } from '../../../src/ros/transport/open.js';
import { qosProfiles } from '../../../src/ros/transport/qos.js';
import { until } from '../../until.js';
import { golden } from '../golden.js';

const MANY = Number(process.argv[2]);
/** Messages that may be under way, and how long none of them may come before it is given up. */
const WINDOW = 2000;
const STALL_MS = 30_000;
/** Messages that are to come by best effort, however many are sent. */
const EASY = 20;
const [command, ...args] = process.argv.slice(3);
const all = { reliability: 'reliable', durability: 'transient_local', depth: 'all' } as const;
const volatile = { ...all, durability: 'volatile' } as const;
const text = 'std_msgs/msg/String';

const transport = await openTransport('cyclone', { interface: 'lo' });
const node = transport.node('interop', '/');
// Said before the peer is there: it joins late.
for (const [i, { type, cdr }] of golden.entries()) node.advertise(`/to_${i}`, type, all).publish(cdr);
const peer = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
await once(peer.stdout, 'data');
const echoes: (string | undefined)[] = golden.map(() => undefined);
for (const [i, { type }] of golden.entries())
  node.subscribe(`/from_${i}`, type, all, (bytes) => {
    echoes[i] = Buffer.from(bytes).toString('hex');
  });
await until(() => echoes.every((echo) => echo !== undefined)).catch(() => {});

const many = golden.length;
let received = 0;
let inOrder = true;
const back = node.subscribe(`/from_${many}`, text, volatile, (bytes) => {
  if (Number(decode(text, bytes).data) !== received) inOrder = false;
  received++;
});
const publisher = node.advertise(`/to_${many}`, text, all);
await until(() => publisher.matched === 1 && back.matched === 1);
for (let i = 0; i < MANY; i++) {
  publisher.publish(encode(text, { data: String(i) }));
  if (i % 50 === 0) {
    await new Promise(setImmediate);
    for (const end = Date.now() + STALL_MS; received < i - WINDOW && Date.now() < end; )
      await new Promise(setImmediate);
  }
}
await until(() => received >= MANY, 60).catch(() => {});

const easy: number[] = [];
node.subscribe(`/from_${many + 1}`, text, qosProfiles.sensorData, (bytes) =>
  easy.push(Number(decode(text, bytes).data)),
);
const easyPublisher = node.advertise(`/to_${many + 1}`, text, qosProfiles.sensorData);
let sent = 0;
await until(() => {
  easyPublisher.publish(encode(text, { data: String(sent++) }));
  return easy.length >= EASY;
}).catch(() => {});
peer.stdin.end();
process.stdout.write(`${JSON.stringify({ echoes, received, inOrder, easy })}\n`);
node.close();
await transport.close();
process.exit(0);
