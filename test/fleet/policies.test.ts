import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { Link } from '../../src/fleet/link.js';
import {
  decodePolicy,
  encodePolicy,
  type PolicyStatus,
  publishPolicy,
  receivePolicies,
  type SentPolicy,
} from '../../src/fleet/policies.js';
import { MalformedMessage } from '../../src/fleet/refusals.js';
import { topicsOf } from '../../src/fleet/topics.js';
import { inMemory, untrainedBundle } from '../control/support.js';
import { broker, eventually, link } from './support.js';

let policy: SentPolicy;

beforeAll(async () => {
  const { manifest, onnx } = inMemory(await untrainedBundle());
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  policy = {
    manifest: { ...manifest, network: { ...manifest.network, sha256 } },
    onnx: Uint8Array.from(onnx),
  };
});

describe('a policy over a broker', () => {
  it('reaches a robot that comes later, which answers what it made of it', async () => {
    const { url } = await broker();
    const learner = await link(url, 'learner');
    let status: PolicyStatus | undefined;
    await learner.subscribe(learner.topics.policyStatus, (payload) => {
      status = JSON.parse(payload.toString());
    });
    publishPolicy(learner, policy);
    const got: SentPolicy[] = [];
    const take = async (p: SentPolicy) => {
      got.push(p);
      return { admitted: false, reasons: ['too young'] };
    };
    await receivePolicies(await link(url, 'robot'), take, () => {});
    await eventually('an answer', () => status !== undefined);
    expect(got).toEqual([policy]);
    expect(status).toEqual({ id: policy.manifest.network.sha256, admitted: false, reasons: ['too young'] });
  });

  it('is refused, and said once, when a byte of its network or manifest is wrong', async () => {
    const bytes = encodePolicy(policy);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 5] ^= 1;
    expect(() => decodePolicy(damaged)).toThrow('SHA-256');
    const cut = bytes.subarray(0, 40);
    expect(() => decodePolicy(cut)).toThrow('cut short');
    const stranger = { ...policy, manifest: { ...policy.manifest, robot: 7 as unknown as string } };
    expect(() => decodePolicy(encodePolicy(stranger))).toThrow(MalformedMessage);
    const { url } = await broker();
    const lines: string[] = [];
    const got: SentPolicy[] = [];
    const robot = await link(url, 'robot');
    const take = async (p: SentPolicy) => {
      got.push(p);
      return { admitted: true, reasons: [] };
    };
    await receivePolicies(robot, take, (line) => lines.push(line));
    for (const payload of [damaged, damaged, bytes]) robot.publish(robot.topics.policy, payload);
    await eventually('the good one', () => got.length === 1);
    expect(lines).toHaveLength(1);
  });
});

describe('Link', () => {
  it('leaves word that a process is gone when it dies without one', async () => {
    const { url } = await broker();
    const robot = await link(url, 'robot');
    const said: string[] = [];
    await robot.subscribe(robot.topics.presence.learner, (payload) => {
      said.push(payload.toString());
    });
    const learner = await link(url, 'learner');
    await eventually('online', () => said.at(-1) === '{"online":true}');
    // As a killed process: the connection breaks without a goodbye.
    learner.client.options.reconnectPeriod = 0;
    learner.client.stream.destroy();
    await eventually('offline', () => said.at(-1) === '{"online":false}');
  });

  it('says in one line that there is no broker', async () => {
    await expect(Link.connect('mqtt://127.0.0.1:1', topicsOf('test', 'robot'), 'robot')).rejects.toThrow(
      'no MQTT broker at mqtt://127.0.0.1:1 (ECONNREFUSED)',
    );
  });

  it('refuses names that would reach into other topics', () => {
    expect(() => topicsOf('a/b', 'robot')).toThrow('a/b');
    expect(() => topicsOf('site', '#')).toThrow('#');
  });
});
