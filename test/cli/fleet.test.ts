import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { type Broker, startBroker } from '../../src/fleet/broker.js';
import { Link } from '../../src/fleet/link.js';
import { robotTopics } from '../../src/fleet/topics.js';
import { until } from '../until.js';
import { lastJson, reverie } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'reverie-fleet-cli-'));
const topics = robotTopics('lab', 'arm-1');
const health = {
  mode: 'active',
  latched: null,
  ticks: 500,
  missed_ticks: 0,
  late_p999_ms: 0.5,
  falls: 1,
  episodes: 2,
  safety_events: 3,
  spool_transitions: 4,
  spool_bytes: 5,
  spool_lost: 0,
  transitions: 6,
};

let broker: Broker;
let robot: Link;
let ticker: NodeJS.Timeout;

beforeAll(async () => {
  broker = await startBroker();
  robot = await Link.connect({ url: broker.url }, { presence: topics.presence });
  ticker = setInterval(() => robot.report(topics.health, health), 200);
});

afterAll(async () => {
  clearInterval(ticker);
  await robot.close();
  await broker.close();
  rmSync(folder, { recursive: true });
});

describe('reverie fleet', () => {
  it('status tells who is there as a table, and as one object', async () => {
    const asked = ['fleet', 'status', '--broker', broker.url, '--site', 'lab', '--seconds', '1'];
    const [table, json] = await Promise.all([reverie(asked), reverie([...asked, '--json'])]);
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/^arm-1 +online +– +active +1 +3 +0\.5 ms/m);
    const { robots, learners } = lastJson(json) as { robots: object[]; learners: object[] };
    expect(robots).toEqual([expect.objectContaining({ name: 'arm-1', online: true })]);
    expect(robots[0]).toMatchObject({ health });
    expect(learners).toEqual([]);
  });

  it('watch tells each message, with topic and payload', async () => {
    const outcome = await reverie([
      ...['fleet', 'watch', '--broker', broker.url, '--site', 'lab', '--seconds', '1', '--json'],
    ]);
    expect(outcome.code).toBe(0);
    const messages = outcome.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(messages.map((m) => m.topic)).toEqual(expect.arrayContaining([topics.presence, topics.health]));
    expect(messages.find((m) => m.topic === topics.health).payload).toMatchObject(health);
  });

  it('watch offers everything to Prometheus, until Ctrl-C', async () => {
    const args = ['fleet', 'watch', '--broker', broker.url, '--site', 'lab', '--metrics', '0'];
    const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(() => lines.some((line) => line.startsWith('metrics at ')));
    const url = lines.find((line) => line.startsWith('metrics at '))!.slice('metrics at '.length);
    let text = '';
    await until(() => {
      void fetch(url).then(async (answer) => {
        text = await answer.text();
      });
      return text.includes('reverie_robot_falls{site="lab",robot="arm-1"} 1');
    });
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('keys makes a pair once, and shows the one of this user where no folder is named', async () => {
    const out = join(folder, 'keys');
    const made = await reverie(['fleet', 'keys', '--out', out, '--json']);
    expect(lastJson(made)).toEqual({ private: join(out, 'signing.key'), public: join(out, 'signing.pub') });
    const again = await reverie(['fleet', 'keys', '--out', out]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('there is a key already')]);
    const config = { REVERIE_CONFIG: join(folder, 'config') };
    const own = [
      await reverie(['fleet', 'keys', '--json'], config),
      await reverie(['fleet', 'keys'], config),
    ];
    expect(lastJson(own[0]).private).toBe(join(folder, 'config', 'keys', 'signing.key'));
    expect(existsSync(join(folder, 'config', 'keys', 'signing.pub'))).toBe(true);
    expect(own[1].stdout).toContain(`reverie run --trust ${join(folder, 'config', 'keys', 'signing.pub')}`);
  });

  const credentials = join(folder, 'credentials.json');
  it.each([
    ['a broker that is not there', ['--broker', 'mqtt://127.0.0.1:1'], /no MQTT broker .*ECONNREFUSED/],
    ['what is no URL', ['--broker', 'broker.lab'], /no URL of a broker/],
    [
      'a site that would reach into others',
      ['--broker', 'BROKER', '--site', 'a/b'],
      /site.*'a\/b'.*letters, digits/s,
    ],
    [
      'a password in the clear',
      ['--broker', 'mqtt://lab:1883', '--broker-credentials', credentials],
      /in the clear/,
    ],
    ['a certificate that is not there', ['--broker', 'mqtts://lab', '--broker-ca', 'none.pem'], /none\.pem/],
    ['a time that is none', ['--seconds', 'soon'], /seconds/],
  ])('refuses %s with one message and 2', async (_, options, expected) => {
    writeFileSync(credentials, '{"username": "arm", "password": "secret"}');
    const given = options.map((option) => (option === 'BROKER' ? broker.url : option));
    const { code, stderr, stdout } = await reverie(['fleet', 'status', ...given]);
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
  });
});
