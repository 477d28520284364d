import { execFile } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { configFolder } from '../../src/base/configFolder.js';
import type { Link } from '../../src/fleet/link.js';
import {
  CHUNK_BYTES,
  decodeChunk,
  decodePolicy,
  encodeChunks,
  encodePolicy,
  type PolicyStatus,
  type SentPolicy,
} from '../../src/fleet/policyMessage.js';
import { PolicyReceiver, type PolicyReceiverOptions } from '../../src/fleet/policyReceiver.js';
import { MalformedMessage } from '../../src/fleet/refusals.js';
import { Rollout, type RolloutOptions } from '../../src/fleet/rollout.js';
import { robotTopics, runTopics } from '../../src/fleet/topics.js';
import {
  keysIn,
  makeKeys,
  readSigningKey,
  readTrustedKey,
  signManifest,
  signText,
} from '../../src/policy/signature.js';
import { inMemory, untrainedBundle } from '../control/support.js';
import { broker, eventually, link, names, opened, temporaryFolder } from './support.js';

const { privateKey: key, publicKey: trusted } = generateKeyPairSync('ed25519');
const topics = runTopics(names.site, names.run);
let plain: SentPolicy;

beforeAll(async () => {
  const { manifest, onnx } = inMemory(await untrainedBundle());
  plain = { manifest, onnx };
});

/** A policy of that name; its network is longer than one piece. */
function policy(name: string): SentPolicy {
  const padding = Buffer.alloc(2 * CHUNK_BYTES, name);
  const onnx = Uint8Array.from(Buffer.concat([plain.onnx, padding]));
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  return { manifest: { ...plain.manifest, name, network: { ...plain.manifest.network, sha256 } }, onnx };
}

const signed = (name: string, by: KeyObject = key): SentPolicy => {
  const { manifest, onnx } = policy(name);
  return { manifest: signManifest(manifest, by), onnx };
};

interface Robot {
  readonly took: string[];
  readonly lines: string[];
  readonly receiver: PolicyReceiver;
}

async function robot(on: Link, name: string, options: Partial<PolicyReceiverOptions> = {}): Promise<Robot> {
  const took: string[] = [];
  const lines: string[] = [];
  const receiver = await PolicyReceiver.create(on, {
    ...names,
    robot: name,
    policy_hz: 20,
    trusted: [trusted],
    folder: temporaryFolder(),
    take: async ({ manifest }) => {
      took.push(manifest.name);
      return [];
    },
    onNotice: (line) => lines.push(line),
    ...options,
  });
  opened(receiver);
  return { took, lines, receiver };
}

const rules: Omit<RolloutOptions, 'folder'> = {
  site: names.site,
  run: names.run,
  key,
  canary: [],
  trial: { seconds: 1, tolerance: 0.1, safety_events: 0 },
  onNotice: () => {},
};

function see(to: Robot, reward: number, steps = 20, safetyEvents = 0): void {
  for (let i = 0; i < steps; i++) to.receiver.see({ reward, safetyEvents });
}

async function statuses(on: Link, ...robots: string[]): Promise<Map<string, PolicyStatus>> {
  const all = new Map<string, PolicyStatus>();
  for (const name of robots)
    await on.subscribe(robotTopics(names.site, name).policy, (payload) => {
      all.set(name, JSON.parse(payload.toString()));
    });
  return all;
}

describe('a roll-out', () => {
  it('reaches a robot that comes later, whole and newest', async () => {
    const { url } = await broker();
    const rollout = await Rollout.create(await link(url), { ...rules, folder: temporaryFolder() });
    for (const name of ['first', 'second', 'third']) expect(await rollout.publish(policy(name))).toBe(true);
    const late = await robot(await link(url), 'late');
    await eventually('the newest', () => late.took.length > 0);
    expect(late.took).toEqual(['third']);
    expect(late.lines).toEqual([]);
  });

  it('goes to the canary first, and to all when it is kept', async () => {
    const { url } = await broker();
    const canary = await robot(await link(url), 'canary', { initial: policy('before') });
    const other = await robot(await link(url), 'other', { initial: policy('before') });
    const said = await statuses(await link(url), 'canary', 'other');
    const rollout = await Rollout.create(await link(url), {
      ...rules,
      canary: ['canary'],
      folder: temporaryFolder(),
    });
    see(canary, 1);
    const kept = rollout.publish(policy('better'));
    await eventually('waiting', () => said.get('other')?.state === 'waiting');
    await eventually('on trial', () => said.get('canary')?.state === 'trial');
    expect(other.took).toEqual([]);
    see(canary, 1.2);
    expect(await kept).toBe(true);
    await eventually('everywhere', () => other.took.length === 1 && said.get('canary')?.state === 'kept');
    expect([canary.took, other.took]).toEqual([['better'], ['better']]);
  });

  it.each([
    ['pays less', 0.5, 0],
    ['sets off the safety kernel', 1, 1],
  ])(
    'ends at the canary where the policy %s: the one before is on offer again',
    async (_, reward, events) => {
      const { url } = await broker();
      const canary = await robot(await link(url), 'canary');
      const other = await robot(await link(url), 'other');
      const said = await statuses(await link(url), 'canary', 'other');
      const folder = temporaryFolder();
      const first = await Rollout.create(await link(url), { ...rules, folder });
      await first.publish(policy('good'));
      await eventually('good', () => canary.took.length + other.took.length === 2);
      await eventually('kept', () => said.get('canary')?.state === 'kept');
      see(canary, 1);
      const second = await Rollout.create(await link(url), { ...rules, canary: ['canary'], folder });
      const kept = second.publish(policy('worse'));
      await eventually('on trial', () => said.get('canary')?.state === 'trial');
      see(canary, reward, 20, events);
      expect(await kept).toBe(false);
      await eventually('back', () => canary.took.at(-1) === 'good');
      await eventually('on offer again', () => said.get('other')?.state === 'kept');
      expect(canary.took).toEqual(['good', 'worse', 'good']);
      expect(other.took).toEqual(['good']);
      expect(canary.lines.some((line) => line.includes('back to the policy before'))).toBe(true);
    },
  );

  it('is withdrawn when half of the fleet gave it back', async () => {
    const { url } = await broker();
    let withdrawn = 0;
    const robots = [await robot(await link(url), 'a'), await robot(await link(url), 'b')];
    const said = await statuses(await link(url), 'a', 'b');
    const rollout = await Rollout.create(await link(url), {
      ...rules,
      folder: temporaryFolder(),
      onWithdrawn: () => withdrawn++,
    });
    await rollout.publish(policy('good'));
    await eventually('kept', () => [...said.values()].filter((s) => s.state === 'kept').length === 2);
    for (const r of robots) see(r, 1);
    await rollout.publish(policy('worse'));
    await eventually('tried', () => robots.every((r) => r.took.at(-1) === 'worse'));
    await eventually('on trial', () => [...said.values()].every((s) => s.state === 'trial'));
    see(robots[0], 0);
    await eventually('withdrawn', () => withdrawn === 1);
    await eventually('back', () => robots.every((r) => r.took.at(-1) === 'good'));
  });

  it('is said again to a broker that has forgotten it', async () => {
    const first = await broker();
    const rollout = await Rollout.create(await link(first.url), { ...rules, folder: temporaryFolder() });
    await rollout.publish(policy('only'));
    await first.close();
    await broker(Number(new URL(first.url).port));
    const late = await robot(await link(first.url), 'late');
    await eventually('it came', () => late.took.length === 1);
  });

  it('is resumed by a robot that was switched off', async () => {
    const { url } = await broker();
    const folder = temporaryFolder();
    const rollout = await Rollout.create(await link(url), { ...rules, folder: temporaryFolder() });
    await rollout.publish(policy('only'));
    const before = await robot(await link(url), 'a', { folder });
    await eventually('it came', () => before.took.length === 1);
    await before.receiver.close();
    const after = await robot(await link((await broker()).url), 'a', { folder });
    expect(after.took).toEqual(['only']);
  });
});

describe('a policy', () => {
  it('comes back as it was, in pieces', () => {
    const sent = signed('one');
    const pieces = encodeChunks(encodePolicy(sent)).map(decodeChunk);
    expect(pieces.length).toBeGreaterThan(2);
    expect(decodePolicy(Buffer.concat(pieces.map((p) => p.bytes)), [trusted])).toEqual(sent);
  });

  it('is refused unsigned, signed by a stranger, or with any part changed', () => {
    expect(() => decodePolicy(encodePolicy(policy('x')), [trusted])).toThrow('not signed');
    const { privateKey: strange } = generateKeyPairSync('ed25519');
    expect(() => decodePolicy(encodePolicy(signed('x', strange)), [trusted])).toThrow('not trusted');
    const { manifest, onnx } = signed('x');
    const renamed = { manifest: { ...manifest, policy_hz: 500 }, onnx };
    expect(() => decodePolicy(encodePolicy(renamed), [trusted])).toThrow('signature does not match');
    const bytes = encodePolicy({ manifest, onnx });
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 5] ^= 1;
    expect(() => decodePolicy(damaged, [trusted])).toThrow('SHA-256');
    expect(() => decodePolicy(bytes.subarray(0, 40), [trusted])).toThrow('cut short');
  });

  it('is never loaded by a robot without a trusted signature on offer and policy', async () => {
    const { url } = await broker();
    const { privateKey: strange } = generateKeyPairSync('ed25519');
    const one = await robot(await link(url), 'one');
    const attacker = await link(url);
    const good = signed('good');
    const offer = (bytes: Buffer, number: number) => {
      const id = createHash('sha256').update(bytes).digest('hex');
      const { trial } = rules;
      return JSON.stringify({
        schema: 1,
        run: names.run,
        number,
        id,
        bytes: bytes.length,
        stage: 'fleet',
        canary: [],
        trial,
      });
    };
    const send = (bytes: Buffer, number: number, sign?: KeyObject) => {
      encodeChunks(bytes).forEach((chunk, i) => {
        attacker.publish(topics.chunk(i), chunk);
      });
      const text = offer(bytes, number);
      attacker.publish(
        topics.offer,
        JSON.stringify({ offer: text, ...(sign && { signature: signText(text, sign) }) }),
      );
    };
    send(encodePolicy(good), 10);
    send(encodePolicy(good), 11, strange);
    // A learner whose key was good, and a bundle that is not.
    send(encodePolicy(policy('unsigned')), 12, key);
    const tampered = encodePolicy(good);
    tampered[tampered.length - 9] ^= 4;
    send(tampered, 13, key);
    attacker.publish(topics.chunk(0), Buffer.alloc(CHUNK_BYTES + 100, 'RVC1'));
    await eventually('all refused', () => one.receiver.refusals.total >= 5);
    expect(one.took).toEqual([]);
    for (const word of ['not signed', 'not trusted', 'it is not signed', 'SHA-256', 'oversized'])
      expect(one.lines.filter((line) => line.includes(word)).length, word).toBeGreaterThan(0);
    send(encodePolicy(good), 20, key);
    await eventually('the good one', () => one.took.length === 1);
    // What was good once is not good for ever: an old offer said again does nothing.
    send(encodePolicy(signed('older')), 15, key);
    await eventually('the old one', () => one.lines.some((line) => line.includes('older than')));
    expect(one.took).toEqual(['good']);
  });

  it('is refused from the disk too, when somebody changed it there', async () => {
    const { url } = await broker();
    const folder = temporaryFolder();
    const rollout = await Rollout.create(await link(url), { ...rules, folder: temporaryFolder() });
    await rollout.publish(policy('only'));
    const before = await robot(await link(url), 'a', { folder });
    await eventually('it came', () => before.took.length === 1);
    await before.receiver.close();
    const path = join(folder, 'current.rvp');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const after = await robot(await link((await broker()).url), 'a', { folder });
    expect(after.took).toEqual([]);
    expect(after.lines[0]).toContain('SHA-256');
  });

  it('is refused with MalformedMessage when its manifest is none', () => {
    const stranger = { ...policy('x'), manifest: { ...plain.manifest, robot: 7 as unknown as string } };
    expect(() => decodePolicy(encodePolicy(stranger), [trusted])).toThrow(MalformedMessage);
  });
});

describe('keys', () => {
  it('are made once, readable by their owner alone', () => {
    const folder = temporaryFolder();
    const files = makeKeys(folder);
    expect(statSync(files.private).mode & 0o077).toBe(0);
    expect(createPublicKey(readSigningKey(files.private)).equals(readTrustedKey(files.public))).toBe(true);
    expect(() => makeKeys(folder)).toThrow('there is a key already');
    expect(() => readTrustedKey(join(folder, 'none'))).toThrow('cannot be read (ENOENT)');
    const { privateKey } = generateKeyPairSync('x25519');
    const wrong = join(folder, 'wrong.key');
    writeFileSync(wrong, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(createPrivateKey(readFileSync(wrong)).asymmetricKeyType).toBe('x25519');
    expect(() => readSigningKey(wrong)).toThrow('expected an Ed25519 private key');
  });

  it('of a folder are one pair, however many processes want them at once', async () => {
    const folder = join(temporaryFolder(), 'keys');
    const module = new URL('../../src/policy/signature.js', import.meta.url).href;
    const code = `import { keysIn } from '${module}'; keysIn(process.argv[1]);`;
    const makers = Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', code, folder]),
    );
    await Promise.all(makers);
    expect(readdirSync(folder).sort()).toEqual(['signing.key', 'signing.pub']);
    const { private: secret, public: known } = keysIn(folder);
    expect(createPublicKey(readSigningKey(secret)).equals(readTrustedKey(known))).toBe(true);
    expect([folder, secret].map((path) => statSync(path).mode & 0o077)).toEqual([0, 0]);
  });

  it('lie in the folder of the user, unless told otherwise', () => {
    expect(configFolder({ XDG_CONFIG_HOME: '/x' })).toBe('/x/reverie');
    expect(configFolder({ XDG_CONFIG_HOME: '/x', REVERIE_CONFIG: '/y' })).toBe('/y');
    const folder = temporaryFolder();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    writeFileSync(join(folder, 'signing.pub'), '');
    expect(() => keysIn(folder)).toThrow('signing.key is missing');
    expect(() => keysIn(join(file, 'keys'))).toThrow('REVERIE_CONFIG names another folder');
  });
});
