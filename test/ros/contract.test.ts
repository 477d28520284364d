import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/ros/codec.js';
import { qosProfiles } from '../../src/ros/transport/qos.js';
import { until } from '../until.js';
import { golden } from './golden.js';
import { type Ends, transports } from './transports.js';

/** What nodes may count on, whatever carries their messages. */
describe.each(transports)('transport $name', ({ absent, fills, open }) => {
  if (absent) {
    it.skip(`absent: ${absent}`, () => {});
    return;
  }

  let ends: Ends;
  let notices: string[];
  beforeEach(async () => {
    notices = [];
    ends = await open((line) => notices.push(line));
  });
  afterEach(() => ends.close());

  const text = (data: string) => encode('std_msgs/msg/String', { data });
  const type = 'std_msgs/msg/String';

  it('carries every golden message as it is', async () => {
    const talker = ends.a.node('talker', '/');
    const listener = ends.b.node('listener', '/');
    for (const [i, { type, cdr }] of golden.entries()) {
      const got: Buffer[] = [];
      const subscription = listener.subscribe(`/golden_${i}`, type, qosProfiles.latched, (bytes) =>
        got.push(Buffer.from(bytes)),
      );
      const publisher = talker.advertise(`/golden_${i}`, type, qosProfiles.latched);
      publisher.publish(cdr);
      await until(() => got.length > 0);
      expect(got.length).toBe(1);
      const filled = Buffer.alloc(fills ? (4 - (cdr.length % 4)) % 4 : 0);
      const wanted = [cdr, Buffer.concat([cdr, filled])].map((bytes) => bytes.toString('hex'));
      expect(wanted, type).toContain(got[0].toString('hex'));
      expect(decode(type, got[0])).toEqual(decode(type, cdr));
      subscription.close();
      publisher.close();
    }
    talker.close();
    listener.close();
  });

  it('copies what is published: the bytes may be reused at once', async () => {
    const talker = ends.a.node('talker', '/');
    const listener = ends.b.node('listener', '/');
    const got: string[] = [];
    listener.subscribe('/reused', type, qosProfiles.default, (bytes) => got.push(decode(type, bytes).data));
    const publisher = talker.advertise('/reused', type, qosProfiles.default);
    await until(() => publisher.matched === 1);
    const bytes = text('first');
    publisher.publish(bytes);
    bytes.fill(0);
    await until(() => got.length > 0);
    expect(got).toEqual(['first']);
    talker.close();
    listener.close();
  });

  it('loses nothing and keeps the order where both ends are reliable and keep all', async () => {
    const count = 5000;
    const all = { ...qosProfiles.default, depth: 'all' } as const;
    const talker = ends.a.node('talker', '/');
    const listener = ends.b.node('listener', '/');
    const got: number[] = [];
    listener.subscribe('/many', type, all, (bytes) => got.push(Number(decode(type, bytes).data)));
    const publisher = talker.advertise('/many', type, all);
    await until(() => publisher.matched === 1);
    for (let i = 0; i < count; i++) {
      publisher.publish(text(String(i)));
      if (i % 100 === 0) await new Promise(setImmediate);
    }
    await until(() => got.length >= count);
    expect(got).toEqual(Array.from({ length: count }, (_, i) => i));
    talker.close();
    listener.close();
  });

  it('keeps the newest of a flood where the depth is one', async () => {
    const talker = ends.a.node('talker', '/');
    const listener = ends.b.node('listener', '/');
    const got: number[] = [];
    listener.subscribe('/flood', type, qosProfiles.command, (bytes) =>
      got.push(Number(decode(type, bytes).data)),
    );
    const publisher = talker.advertise('/flood', type, qosProfiles.command);
    await until(() => publisher.matched === 1);
    for (let i = 0; i < 1000; i++) publisher.publish(text(String(i)));
    await until(() => got.at(-1) === 999);
    expect(got.length).toBeLessThan(1000);
    talker.close();
    listener.close();
  });

  it('gives a late subscriber what holds, and no more than was asked to be kept', async () => {
    const talker = ends.a.node('talker', '/');
    const publisher = talker.advertise('/holds', type, qosProfiles.latched);
    for (const data of ['old', 'new']) publisher.publish(text(data));
    const listener = ends.b.node('listener', '/');
    const got: string[] = [];
    const volatile: string[] = [];
    listener.subscribe('/holds', type, qosProfiles.default, (bytes) =>
      volatile.push(decode(type, bytes).data),
    );
    listener.subscribe('/holds', type, qosProfiles.latched, (bytes) => got.push(decode(type, bytes).data));
    await until(() => got.length > 0);
    expect(got).toEqual(['new']);
    expect(volatile).toEqual([]);
    talker.close();
    listener.close();
  });

  it('joins nobody who asks for more than is offered', async () => {
    const talker = ends.a.node('talker', '/');
    const listener = ends.b.node('listener', '/');
    const strict: string[] = [];
    const easy: string[] = [];
    listener.subscribe('/scan', type, qosProfiles.default, (bytes) => strict.push(decode(type, bytes).data));
    listener.subscribe('/scan', type, qosProfiles.sensorData, (bytes) => easy.push(decode(type, bytes).data));
    const publisher = talker.advertise('/scan', type, qosProfiles.sensorData);
    await until(() => publisher.matched === 1);
    publisher.publish(text('x'));
    await until(() => easy.length === 1);
    expect(strict).toEqual([]);
    talker.close();
    listener.close();
  });

  it('says once that two types meet on a topic, and delivers nothing', async () => {
    const talker = ends.a.node('talker', '/');
    const listener = ends.b.node('listener', '/');
    const got: unknown[] = [];
    listener.subscribe('/odd', 'std_msgs/msg/Bool', qosProfiles.latched, (bytes) => got.push(bytes));
    const publisher = talker.advertise('/odd', type, qosProfiles.latched);
    for (let i = 0; i < 20; i++) publisher.publish(text('x'));
    await until(() => notices.length > 0);
    expect(notices).toEqual([
      '/odd: published as std_msgs/msg/String and subscribed as std_msgs/msg/Bool; they do not meet',
    ]);
    expect(got).toEqual([]);
    talker.close();
    listener.close();
  });

  it('answers services, several at once, each its own', async () => {
    const server = ends.a.node('server', '/');
    const asker = ends.b.node('asker', '/');
    const service = 'std_srvs/srv/SetBool';
    server.serve('/switch', service, async (request) => {
      const { data } = decode('std_srvs/srv/SetBool_Request', request);
      if (data) await new Promise((resolve) => setTimeout(resolve, 20));
      return encode('std_srvs/srv/SetBool_Response', { success: data, message: data ? 'on é' : 'off' });
    });
    const client = asker.client('/switch', service);
    await until(() => client.ready);
    const ask = async (data: boolean) =>
      decode(
        'std_srvs/srv/SetBool_Response',
        await client.call(encode('std_srvs/srv/SetBool_Request', { data })),
      );
    expect(await Promise.all([ask(true), ask(false), ask(true)])).toEqual([
      { success: true, message: 'on é' },
      { success: false, message: 'off' },
      { success: true, message: 'on é' },
    ]);
    server.close();
    await expect(client.call(encode('std_srvs/srv/SetBool_Request', { data: true }), 0.1)).rejects.toThrow(
      '/switch: no answer within 0.1 s',
    );
    asker.close();
  });

  it('carries requests of every kind of field, whole numbers of 64 bits and arrays among them', async () => {
    const server = ends.a.node('server', '/');
    const asker = ends.b.node('asker', '/');
    const service = 'rcl_interfaces/srv/SetParameters';
    const value = {
      type: 0,
      bool_value: true,
      integer_value: -(2n ** 53n) - 1n,
      double_value: Math.PI,
      string_value: 'ü',
      byte_array_value: new Uint8Array([0, 255]),
      bool_array_value: [true, false],
      integer_array_value: new BigInt64Array([1n, -(2n ** 62n)]),
      double_array_value: new Float64Array([0.1, -1e300]),
      string_array_value: ['', 'two'],
    };
    const request = encode('rcl_interfaces/srv/SetParameters_Request', {
      parameters: [
        { name: 'first', value },
        { name: 'second', value: {} },
      ],
    });
    const results = [
      { successful: false, reason: 'no' },
      { successful: true, reason: '' },
    ];
    const got: string[] = [];
    server.serve('/set', service, (bytes) => {
      got.push(Buffer.from(bytes).toString('hex'));
      return encode('rcl_interfaces/srv/SetParameters_Response', { results });
    });
    const client = asker.client('/set', service);
    await until(() => client.ready);
    const response = await client.call(request, 30);
    expect(decode('rcl_interfaces/srv/SetParameters_Response', response)).toEqual({ results });
    expect(got).toEqual([Buffer.from(request).toString('hex')]);
    server.close();
    asker.close();
  });

  it('refuses names that ROS 2 would refuse', () => {
    const node = ends.a.node('hardware', '/robot_1');
    expect(() => ends.a.node('hard ware', '/')).toThrow('no ROS node name');
    expect(() => ends.a.node('x', 'robot')).toThrow('no namespace');
    expect(() => node.advertise('joint_states', type, qosProfiles.default)).toThrow('no topic');
    node.close();
  });
});
