import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BrokerAccess } from '../../src/fleet/access.js';
import { Link } from '../../src/fleet/link.js';
import { robotTopics, runTopics } from '../../src/fleet/topics.js';
import {
  certificates,
  type Mosquitto,
  missing,
  passwordFile,
  readable,
  startMosquitto,
} from './mosquitto.js';
import {
  eventually,
  experience,
  learner,
  link,
  names,
  opened,
  robot,
  temporaryFolder,
  upTo,
} from './support.js';

/** A robot may speak for itself alone; docs/fleet.md has the same. */
const ACL = `
user learner
topic readwrite reverie/v1/test/#
topic readwrite $share/walk/reverie/v1/test/#

pattern readwrite reverie/v1/+/robot/%u/#
pattern write reverie/v1/+/run/+/join/%u
pattern write reverie/v1/+/run/+/experience/+/%u
pattern read reverie/v1/+/run/+/policy/#
pattern read reverie/v1/+/run/+/learner/+/metrics
pattern read reverie/v1/+/run/+/learner/+/world_model
`;

/** With TLS, users and their rights. */
async function guarded(days = 2): Promise<{ access: BrokerAccess; mosquitto: Mosquitto; folder: string }> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const { ca, cert, key } = certificates(folder, 'server', days);
  const passwords = passwordFile(folder, { learner: 'teach', robot: 'walk', other: 'roll' });
  writeFileSync(join(folder, 'acl'), ACL);
  const mosquitto = opened(
    await startMosquitto(
      folder,
      `cafile ${ca}`,
      `certfile ${cert}`,
      `keyfile ${key}`,
      'allow_anonymous false',
      `password_file ${passwords}`,
      `acl_file ${readable(join(folder, 'acl'))}`,
    ),
  );
  return { folder, mosquitto, access: { url: `mqtts://127.0.0.1:${mosquitto.port}`, ca: readFileSync(ca) } };
}

const open = async () => opened(await startMosquitto(temporaryFolder(), 'allow_anonymous true'));

describe.skipIf(missing)('with mosquitto', () => {
  it('experience arrives over TLS, with a password, within what an ACL allows', async () => {
    const { access } = await guarded();
    const into = await learner(await link({ ...access, username: 'learner', password: 'teach' }));
    const { spool } = await robot(await link({ ...access, username: 'robot', password: 'walk' }));
    for (const n of upTo(200)) spool.add(experience(n));
    await eventually('all stored', () => spool.pending === 0);
    expect(into.taken).toEqual(upTo(200));
  });

  it('a wrong password, no certificate of ours, and an expired one are an error each', async () => {
    const { access } = await guarded();
    const wrong = { ...access, username: 'robot', password: 'guess' };
    await expect(Link.connect(wrong)).rejects.toThrow(/no MQTT broker at mqtts.*[Nn]ot authorized/);
    // Patience is for brokers that are away, not for those that say no.
    await expect(Link.connect(wrong, { patient: true })).rejects.toThrow(/[Nn]ot authorized/);
    await expect(Link.connect({ ...access, ca: undefined })).rejects.toThrow(
      /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    );
    const expired = await guarded(-1);
    await expect(Link.connect(expired.access)).rejects.toThrow('CERT_HAS_EXPIRED');
  });

  it.each([
    [
      'a credential that is no longer good',
      /[Nn]ot authorized/,
      (folder: string) => passwordFile(folder, { learner: 'teach', robot: 'run' }),
      (folder: string) => passwordFile(folder, { learner: 'teach', robot: 'walk' }),
    ],
    [
      'a certificate that has expired',
      /CERT_HAS_EXPIRED/,
      (folder: string) => certificates(folder, 'server', -1),
      (folder: string) => certificates(folder, 'server', 2),
    ],
  ])('%s is said once, and the spool keeps everything until it is right', async (_, said, spoil, mend) => {
    const { access, mosquitto, folder } = await guarded();
    const lines: string[] = [];
    const into = await learner(await link({ ...access, username: 'learner', password: 'teach' }));
    const robotAccess = { ...access, username: 'robot', password: 'walk' };
    const on = await link(robotAccess, { onNotice: (line) => lines.push(line) });
    const { spool } = await robot(on);
    for (const n of upTo(5)) spool.add(experience(n));
    await eventually('stored', () => spool.pending === 0);
    const restart = async (change: (folder: string) => unknown) => {
      await mosquitto.kill();
      change(folder);
      await mosquitto.start();
    };
    await restart(spoil);
    for (const n of upTo(5)) spool.add(experience(5 + n));
    await eventually('refused more than once', () => on.refusals.total > 1);
    expect(lines.filter((line) => said.test(line))).toHaveLength(1);
    expect(spool.pending).toBe(5);
    await restart(mend);
    await eventually('stored after all', () => spool.pending === 0);
    expect(into.taken).toEqual(upTo(10));
  });

  it('a topic that the ACL denies is said once, and nothing leaves the spool', async () => {
    const { access } = await guarded();
    const lines: string[] = [];
    const into = await learner(await link({ ...access, username: 'learner', password: 'teach' }));
    const forger = await link(
      { ...access, username: 'other', password: 'roll' },
      { onNotice: (line) => lines.push(line) },
    );
    // The rights of "other" do not reach to what "robot" says.
    const topic = runTopics(names.site, names.run).experience(into.receiver.learner, names.robot);
    for (let i = 0; i < 3; i++) forger.publish(topic, 'forged');
    const { spool } = await robot(forger);
    for (const n of upTo(5)) spool.add(experience(n));
    await eventually('said', () => lines.length >= 2);
    expect(lines.filter((line) => line.includes(topic))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('/join/'))).toHaveLength(1);
    expect(spool.pending).toBe(5);
    expect(into.receiver.refusals.total).toBe(0);
  });

  it('nothing is lost when it is killed, again and again', async () => {
    const mosquitto = await open();
    const url = `mqtt://127.0.0.1:${mosquitto.port}`;
    const into = await learner(await link(url));
    const { spool } = await robot(await link(url));
    let n = 0;
    const making = setInterval(() => spool.add(experience(n++)), 5);
    opened({ close: () => clearInterval(making) });
    for (let kill = 0; kill < 3; kill++) {
      const before = into.taken.length;
      await eventually('something stored', () => into.taken.length > before);
      await mosquitto.kill();
      await mosquitto.start();
    }
    clearInterval(making);
    await eventually('all stored', () => spool.pending === 0);
    expect(into.taken).toEqual(upTo(n));
  });

  it('a broker that hangs holds up nobody, and costs no memory', async () => {
    const mosquitto = await open();
    const url = `mqtt://127.0.0.1:${mosquitto.port}`;
    const into = await learner(await link(url));
    const on = await link(url);
    const { spool } = await robot(on);
    spool.add(experience(0));
    await eventually('joined', () => spool.pending === 0);
    mosquitto.process.kill('SIGSTOP');
    let longest_ms = 0;
    for (let n = 1; n < 5000; n++) {
      const began = performance.now();
      spool.add(experience(n));
      longest_ms = Math.max(longest_ms, performance.now() - began);
      if (n % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 150));
    }
    // A second is what the control loop waits for this thread; a write to a file takes microseconds.
    expect(longest_ms).toBeLessThan(1000);
    expect(on.client.stream.writableLength).toBeLessThan(2e6);
    mosquitto.process.kill('SIGCONT');
    await eventually('all stored', () => spool.pending === 0, 60);
    expect(into.taken).toEqual(upTo(5000));
  });

  it('learner replicas share the robots of a run, each robot with one of them', async () => {
    const mosquitto = await open();
    const url = `mqtt://127.0.0.1:${mosquitto.port}`;
    const replicas = [await learner(await link(url)), await learner(await link(url))];
    const robots = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => robot(await link(url), temporaryFolder(), { robot: name })),
    );
    for (const n of upTo(100)) for (const { spool } of robots) spool.add(experience(n));
    await eventually('all stored', () => robots.every(({ spool }) => spool.pending === 0));
    expect(replicas.map((r) => r.receiver.robots)).toEqual([2, 2]);
    expect(replicas.map((r) => r.replay.added)).toEqual([200, 200]);
    // One dies for good: after a while its robots find the other.
    const orphans = robots.filter(({ spool }) => spool.learner === replicas[0].receiver.learner);
    replicas[0].receiver.close();
    const patience = await robot(await link(url), temporaryFolder(), { robot: 'e', reassignAfter_s: 1 });
    patience.spool.learner = replicas[0].receiver.learner;
    patience.spool.add(experience(0));
    await eventually('taken over', () => patience.spool.pending === 0);
    expect(patience.spool.learner).toBe(replicas[1].receiver.learner);
    expect(orphans).toHaveLength(2);
  });

  it('a robot that is killed leaves its last will', async () => {
    const mosquitto = await open();
    const url = `mqtt://127.0.0.1:${mosquitto.port}`;
    const { presence } = robotTopics(names.site, names.robot);
    const watcher = await link(url);
    const said: boolean[] = [];
    await watcher.subscribe(presence, (payload) => {
      said.push(JSON.parse(payload.toString()).online);
    });
    const one = await link(url, { presence });
    await eventually('online', () => said.at(-1) === true);
    one.client.options.reconnectPeriod = 0;
    one.client.stream.destroy();
    await eventually('offline', () => said.at(-1) === false);
  });
});
