import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FoxgloveClient } from '@foxglove/ws-protocol';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RawData, WebSocket } from 'ws';
import { Access } from '../../src/dashboard/access.js';
import { type Channel, FoxgloveServer } from '../../src/dashboard/foxglove/server.js';
import { PageHub } from '../../src/dashboard/pageHub.js';
import type { Hello, PageMessage } from '../../src/dashboard/protocol.js';
import { DashboardServer, type ServerOptions } from '../../src/dashboard/server.js';

const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
const TOKEN = 'correct-horse-battery';
const channels: Channel[] = [
  { topic: '/one', encoding: 'json', schemaName: 'One', schemaEncoding: 'jsonschema', schema: '{}' },
  {
    topic: '/kept',
    encoding: 'json',
    schemaName: 'Kept',
    schemaEncoding: 'jsonschema',
    schema: '{}',
    latched: true,
  },
];
const hello: Hello = {
  kind: 'hello',
  session: 'a',
  version: '0',
  robot: 'arm',
  task: 'reach',
  base: 'fixed',
  hasImu: false,
  joints: [],
  groups: [],
  feet: [],
  objects: [],
  teleop: { tool: false, poses: [] },
};

beforeAll(() => {
  mkdirSync(join(folder, 'page/assets'), { recursive: true });
  writeFileSync(join(folder, 'page/index.html'), '<title>page</title>');
  writeFileSync(join(folder, 'page/assets/main.js'), 'main');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  return () => rmSync(folder, { recursive: true });
});

const open: DashboardServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: Partial<ServerOptions> = {}) {
  const said: PageMessage[] = [];
  const gone: number[] = [];
  const pages = new PageHub(hello, {
    onCome: () => {},
    onMessage: (_page, message) => said.push(message),
    onGone: (page) => gone.push(page),
  });
  const foxglove = new FoxgloveServer('test', 'a', channels);
  const server = await DashboardServer.listen({
    host: '127.0.0.1',
    port: 0,
    access: new Access({ secure: false, names: ['robot.example'], origins: ['https://viewer.example'] }),
    page: join(folder, 'page'),
    scene: async () => ({ robot: 'arm', bodies: [], geoms: [], meshes: [] }),
    pages,
    foxglove,
    ...options,
  });
  open.push(server);
  return { server, pages, foxglove, said, gone };
}

interface Got {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** A path as it is given: `fetch` would tidy it up. */
function get(url: string, path: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https') ? secureRequest : request;
    const { hostname, port } = new URL(url);
    ask({ hostname, port, path, headers, rejectUnauthorized: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body, headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });
}

/** @param onMessage from the first message on, which comes with the handshake; @returns the socket, or the status that it was refused with */
function connect(
  url: string,
  protocols: string[],
  headers: Record<string, string>,
  onMessage: (data: RawData, binary: boolean) => void = () => {},
): Promise<WebSocket | number> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, { headers, rejectUnauthorized: false });
  socket.on('message', onMessage);
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode!));
    socket.on('error', reject);
  });
}

/** The page's own socket, and what it is told. */
async function page(url: string) {
  const told: { kind: string; reasons?: string[] }[] = [];
  const socket = await connect(`${url}/live`, [], { origin: url }, (data, binary) => {
    if (!binary) told.push(JSON.parse(data.toString()));
  });
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  const heard = async (count: number) => {
    while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
    return told;
  };
  return { socket, heard };
}

describe('the page', () => {
  it('is served, and nothing beside it', async () => {
    const { server } = await start();
    const first = await get(server.url, '/');
    expect(first).toMatchObject({ status: 200, body: '<title>page</title>' });
    expect(first.headers['content-security-policy']).toContain("default-src 'self'");
    expect((await get(server.url, '/assets/main.js')).headers['cache-control']).toContain('immutable');
    for (const path of ['/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/assets'])
      expect((await get(server.url, path)).status, path).toBe(404);
    expect(JSON.parse((await get(server.url, '/scene.json')).body)).toMatchObject({ robot: 'arm' });
  });

  it('is not served under a name that is not this machine’s', async () => {
    const { server } = await start();
    const { port } = new URL(server.url);
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`])
      expect((await get(server.url, '/', { host })).status, host).toBe(421);
    for (const host of [`localhost:${port}`, `[::1]:${port}`, `robot.example:${port}`])
      expect((await get(server.url, '/', { host })).status, host).toBe(200);
  });

  it('speaks to its own server alone', async () => {
    const { server } = await start();
    const live = `${server.url}/live`;
    expect(await connect(live, [], { origin: 'https://evil.example' })).toBe(403);
    expect(await connect(live, [], {})).toBe(403);
    expect(await connect(live, [], { origin: server.url, host: 'evil.example' })).toBe(421);
    expect(await connect(`${server.url}/other`, [], { origin: server.url })).toBe(404);
    expect(await connect(live, [], { origin: server.url })).toBeInstanceOf(WebSocket);
  });
});

describe('what a page says', () => {
  it('is handed on where it is sense, and refused with the reason where not', async () => {
    const { server, said } = await start();
    const { socket, heard } = await page(server.url);
    await heard(1);
    const nonsense: [string, RegExp][] = [
      ['}{', /not JSON/],
      ['null', /one of hand, emergency_stop/],
      ['{"kind":"launch_missiles","id":1}', /one of hand, emergency_stop/],
      ['{"kind":"reset"}', /id/],
      ['{"kind":"reset","id":1,"limit":9}', /limit/],
      ['{"kind":"policy","id":1,"name":""}', /name/],
      ['{"kind":"hand","hand":{"linear":[0,0,9],"pitch":0,"roll":0,"gripper":0}}', /linear/],
      ['{"kind":"hand","hand":{"linear":[0,0,1e999],"pitch":0,"roll":0,"gripper":0}}', /linear/],
    ];
    for (const [i, [text, reason]] of nonsense.entries()) {
      socket.send(text);
      const answer = (await heard(i + 2)).at(-1)!;
      expect(answer).toMatchObject({ kind: 'answer', ok: false });
      expect(answer.reasons!.join()).toMatch(reason);
    }
    socket.send(Buffer.from([1, 2, 3]));
    expect((await heard(nonsense.length + 2)).at(-1)!.reasons).toEqual(['a page says nothing in binary']);
    expect(said).toEqual([]);
    socket.send('{"kind":"emergency_stop","id":7}');
    while (said.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(said).toEqual([{ kind: 'emergency_stop', id: 7 }]);
  });

  it('is no longer listened to when it is too much', async () => {
    const { server, gone } = await start();
    const { socket, heard } = await page(server.url);
    await heard(1);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(1 << 20));
    await closed;
    while (gone.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    // The server lives.
    expect((await get(server.url, '/')).status).toBe(200);
  });

  it('comes after it was told what there was before', async () => {
    const { server, pages } = await start();
    const event = { kind: 'event', time_s: 1, joint: null, value: 0, limit: 0, stops: true } as const;
    for (let i = 0; i < 300; i++) pages.tell({ ...event, cause: `cause ${i}` });
    const { heard } = await page(server.url);
    const told = await heard(201);
    expect(told[0].kind).toBe('hello');
    expect(told[1]).toMatchObject({ cause: 'cause 100' });
    expect(told[200]).toMatchObject({ cause: 'cause 299' });
  });
});

describe('beyond this machine', () => {
  it.skipIf(!hasOpenssl())('asks for the token, over TLS', async () => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=robot'],
    ], { stdio: 'ignore' }); // biome-ignore format: one option and its value
    const { server } = await start({
      tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
      access: new Access({ token: TOKEN, secure: true, names: [], origins: [] }),
    });
    const { url } = server;
    expect(url).toMatch(/^https:/);
    expect((await get(url, '/')).status).toBe(401);
    expect((await get(url, '/?token=correct-horse-batter')).status).toBe(401);
    expect(await connect(`${url}/live`, [], { origin: url })).toBe(401);
    const shown = await get(url, `/?token=${TOKEN}`);
    expect(shown).toMatchObject({ status: 303, headers: { location: '/' } });
    const cookie = shown.headers['set-cookie']![0];
    expect(cookie).toMatch(/HttpOnly; Secure; SameSite=Strict/);
    expect((await get(url, '/', { cookie: cookie.split(';')[0] })).status).toBe(200);
    expect(await connect(`${url}/live`, [], { origin: url, cookie: cookie.split(';')[0] })).toBeInstanceOf(
      WebSocket,
    );
    expect(await connect(url, ['foxglove.sdk.v1'], { authorization: `Bearer ${TOKEN}` })).toBeInstanceOf(
      WebSocket,
    );
    expect(await connect(url, ['foxglove.sdk.v1'], {})).toBe(401);
  });

  it('is reported where the port is taken', async () => {
    const { server } = await start();
    await expect(start({ port: Number(new URL(server.url).port) })).rejects.toThrow(/is in use/);
  });
});

describe('the Foxglove protocol', () => {
  it.each([['foxglove.websocket.v1'], ['foxglove.sdk.v1']])('is spoken as %s', async (protocol) => {
    const { server } = await start();
    const socket = await connect(server.url, ['something.else', protocol], {});
    expect(socket).toMatchObject({ protocol });
  });

  it('serves an independent client', async () => {
    const { server, foxglove } = await start();
    foxglove.publish('/kept', 5n, Buffer.from('{"kept":1}'));
    expect(foxglove.wants('/one')).toBe(false);
    const client = new FoxgloveClient({
      ws: new WebSocket(server.url.replace('http', 'ws'), ['foxglove.websocket.v1']) as never,
    });
    const faults: unknown[] = [];
    client.on('error', (error) => faults.push(error));
    const got: [number, bigint, string][] = [];
    client.on('message', ({ subscriptionId, timestamp, data }) =>
      got.push([
        subscriptionId,
        timestamp,
        Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(),
      ]),
    );
    const advertised = await new Promise<readonly { readonly id: number; readonly topic: string }[]>(
      (resolve) => client.on('advertise', resolve),
    );
    expect(advertised.map((c) => c.topic)).toEqual(['/one', '/kept']);
    const [one, kept] = advertised.map((c) => client.subscribe(c.id));
    while (got.length < 1) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(got).toEqual([[kept, 5n, '{"kept":1}']]);
    expect(foxglove.wants('/one')).toBe(true);
    foxglove.publish('/one', 1_700_000_000_000_000_001n, Buffer.from('{"a":1}'));
    while (got.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(got[1]).toEqual([one, 1_700_000_000_000_000_001n, '{"a":1}']);
    client.unsubscribe(one);
    while (foxglove.wants('/one')) await new Promise((resolve) => setTimeout(resolve, 2));
    client.close();
    expect(faults).toEqual([]);
  });

  it('takes nothing but subscriptions, and no page from elsewhere', async () => {
    const { server } = await start();
    const connectFrom = (origin: string) => connect(server.url, ['foxglove.websocket.v1'], { origin });
    expect(await connectFrom('https://evil.example')).toBe(403);
    expect(await connectFrom('null')).toBe(403);
    expect(await connectFrom('https://viewer.example')).toBeInstanceOf(WebSocket);
    const socket = (await connectFrom('https://app.foxglove.dev')) as WebSocket;
    const told: { op: string; level?: number }[] = [];
    socket.on('message', (data) => told.push(JSON.parse(data.toString())));
    socket.send('{"op":"advertise","channels":[]}');
    socket.send('{"op":"subscribe","subscriptions":[{"id":1,"channelId":99}]}');
    socket.send(Buffer.from([1, 0, 0, 0, 0, 1, 2, 3]));
    socket.send('garbage');
    const statuses = () => told.filter((m) => m.op === 'status').map((m) => m.level);
    while (statuses().length < 4) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(statuses()).toEqual([1, 2, 1, 1]);
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('openssl is not installed: the dashboard over TLS is not tested\n');
    return false;
  }
}
