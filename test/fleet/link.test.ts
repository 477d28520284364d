import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokerAccess } from '../../src/fleet/access.js';
import { Link } from '../../src/fleet/link.js';
import { matches, robotTopics, runTopics, shared } from '../../src/fleet/topics.js';
import { broker, eventually, link, temporaryFolder } from './support.js';

const { presence } = robotTopics('test', 'robot');

describe('Link', () => {
  it('leaves word that a process is gone when it dies without one, with the number of its birth', async () => {
    const { url } = await broker();
    const watcher = await link(url);
    const said: { online: boolean; bd_seq: number }[] = [];
    await watcher.subscribe(presence, (payload) => {
      said.push(JSON.parse(payload.toString()));
    });
    const robot = await link(url, { presence });
    await eventually('online', () => said.at(-1)?.online === true);
    // As a killed process: the connection breaks without a goodbye. The client then comes again.
    robot.client.stream.destroy();
    await eventually('offline and online again', () => said.length >= 3);
    expect(said.map((s) => s.online)).toEqual([true, false, true]);
    expect(said[1].bd_seq).toBe(said[0].bd_seq);
    expect(said[2].bd_seq).toBeGreaterThan(said[0].bd_seq);
  });

  it('numbers its reports from the birth on', async () => {
    const { url } = await broker();
    const watcher = await link(url);
    const seqs: number[] = [];
    await watcher.subscribe('reverie/#', (payload) => {
      seqs.push(JSON.parse(payload.toString()).seq);
    });
    const robot = await link(url, { presence });
    for (let i = 0; i < 300; i++) robot.report('reverie/v1/test/robot/robot/health', {});
    await eventually('all', () => seqs.length === 301);
    // The birth has 0, and is sent more carefully than reports, which may overtake it.
    const reports = Array.from({ length: 300 }, (_, i) => (i + 1) % 256);
    expect([...seqs].sort()).toEqual([0, ...reports].sort());
  });

  it('says in one line that there is no broker, or waits for it where it is told to', async () => {
    await expect(Link.connect({ url: 'mqtt://127.0.0.1:1' })).rejects.toThrow(
      'no MQTT broker at mqtt://127.0.0.1:1 (ECONNREFUSED)',
    );
    const first = await broker();
    const port = Number(new URL(first.url).port);
    await first.close();
    const lines: string[] = [];
    const patient = await link(first.url, { patient: true, onNotice: (line) => lines.push(line) });
    expect(lines).toEqual(['no MQTT broker yet (ECONNREFUSED); trying on']);
    let heard = 0;
    await patient.subscribe('reverie/x', () => {
      heard++;
    });
    // The embedded broker speaks 3.1.1 alone: the newer version is tried first.
    await broker(port);
    await eventually('connected', () => patient.connected);
    await eventually('heard', () => {
      patient.publish('reverie/x', 'hello');
      return heard > 0;
    });
  });
});

describe('a broker', () => {
  it('is reached with what files and environment say, and nothing secret on the command line', () => {
    const folder = temporaryFolder();
    const credentials = join(folder, 'credentials.json');
    writeFileSync(credentials, '{"username": "arm", "password": "secret"}');
    expect(brokerAccess('mqtts://host', { credentials }, {})).toMatchObject({
      username: 'arm',
      password: 'secret',
    });
    const env = { REVERIE_MQTT_USERNAME: 'env', REVERIE_MQTT_PASSWORD: 'word', REVERIE_MQTT_CA: credentials };
    expect(brokerAccess('mqtts://host', {}, env)).toMatchObject({ username: 'env', password: 'word' });
    expect(() => brokerAccess('mqtt://host', {}, env)).toThrow('in the clear');
    expect(() => brokerAccess('http://host', {}, {})).toThrow('expected one of mqtt:');
    expect(() => brokerAccess('mqtt://me:word@host', {}, {})).toThrow('not from the URL');
    expect(() => brokerAccess('nonsense', {}, {})).toThrow('no URL of a broker');
    expect(() => brokerAccess('mqtts://host', { ca: join(folder, 'none') }, {})).toThrow('ENOENT');
    writeFileSync(credentials, '{"user": "arm"}');
    expect(() => brokerAccess('mqtts://host', { credentials }, {})).toThrow('username');
  });
});

describe('topics', () => {
  it('refuse names that would reach into others', () => {
    expect(() => robotTopics('a/b', 'robot')).toThrow('a/b');
    expect(() => robotTopics('site', '#')).toThrow('#');
    expect(() => runTopics('site', '')).toThrow('cannot be part of a topic');
  });

  it.each([
    ['a/+/c', 'a/b/c', true],
    ['a/+/c', 'a/b/d', false],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a/b/c', true],
    ['a/b', 'a', false],
    [shared('g', 'a/+'), 'a/b', true],
  ])('%s fits %s: %s', (filter, topic, fits) => {
    expect(matches(filter, topic)).toBe(fits);
  });
});
