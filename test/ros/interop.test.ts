import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { ddsType } from '../../src/ros/transport/names.js';
import { golden } from './golden.js';
import { idlOf } from './interop/idl.js';
import { transports } from './transports.js';

const run = promisify(execFile);
const sources = join(packageRoot, 'test/ros/interop');
/** Messages of the long stream. */
const MANY = 100_000;
/** Golden messages by number, then the stream, then what goes by best effort. */
const types = [...golden.map((g) => g.type), 'std_msgs/msg/String', 'std_msgs/msg/String'];

function missing(): string | undefined {
  const cyclone = transports.find((t) => t.name === 'cyclone')!;
  if (cyclone.absent) return cyclone.absent;
  try {
    execFileSync('idlc', ['-v']);
  } catch {
    return 'idlc is missing (Debian: apt install cyclonedds-tools)';
  }
  try {
    execFileSync('unshare', ['-rn', 'true']);
  } catch {
    return 'a network namespace is not permitted here';
  }
  return undefined;
}
const absent = missing();
const noFast = existsSync('/usr/include/fastdds/dds')
  ? undefined
  : 'Fast DDS is missing (Debian: apt install libfastrtps-dev g++)';

async function compileFastPeer(folder: string): Promise<string> {
  const peers = types.map((type, i) => `PEER(${i}, ${ddsType(type)})`);
  writeFileSync(join(folder, 'fast-peers.h'), `#define FAST_PEERS ${peers.join(' ')}\n`);
  const program = join(folder, 'echo-fast');
  const source = join(sources, 'echo-fast.cpp');
  const libraries = ['-lfastrtps', '-lfastcdr'];
  await run('c++', ['-std=c++17', '-O1', `-I${folder}`, source, ...libraries, '-o', program]);
  return program;
}

describe.skipIf(absent)(`interop${absent ? ` (skipped: ${absent})` : ''}`, () => {
  let folder: string;
  /** Takes a compiler some seconds, in which the other peer is at work. */
  let fastPeer: Promise<string> | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reverie-interop-'));
    if (!noFast) fastPeer = compileFastPeer(folder);
    fastPeer?.catch(() => {});
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** @param padding whether the peer passes on the zeros that fill a message to four bytes on the wire */
  async function throughPeer(peer: string, padding = false): Promise<void> {
    const script = fileURLToPath(new URL('./interop/run.js', import.meta.url));
    const up =
      'ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo && exec "$@"';
    const args = ['-rn', 'sh', '-c', up, 'sh', process.execPath, script, String(MANY), peer];
    // In a network of its own there is multicast on loopback, as peers of other makes expect.
    const network =
      '<General><Interfaces><NetworkInterface name="lo" multicast="true"/></Interfaces></General>';
    const env = { ...process.env, CYCLONEDDS_URI: network, ROS_DOMAIN_ID: '0' };
    const { stdout } = await run('unshare', args, { env, maxBuffer: 1e8 });
    const { echoes, received, inOrder, easy } = JSON.parse(stdout.trim().split('\n').at(-1)!);
    for (const [i, { type, cdr }] of golden.entries()) {
      const most = padding ? 3 : 0;
      expect(echoes[i], type).toMatch(new RegExp(`^${cdr.toString('hex')}(00){0,${most}}$`));
    }
    expect({ received, inOrder }).toEqual({ received: MANY, inOrder: true });
    expect(easy.length).toBeGreaterThan(0);
    expect(easy).toEqual([...new Set<number>(easy)].sort((a, b) => a - b));
  }

  it('with a C program on Cyclone DDS, which reads and writes structures', { timeout: 300_000 }, async () => {
    writeFileSync(join(folder, 'types.idl'), idlOf(types));
    await run('idlc', ['types.idl'], { cwd: folder });
    const peers = types.map((type, i) => `PEER(${i}, ${ddsType(type).replaceAll('::', '_')})`);
    writeFileSync(join(folder, 'peers.h'), `#include "types.h"\n#define PEERS ${peers.join(' ')}\n`);
    expect(readdirSync(folder)).toContain('types.c');
    const program = join(folder, 'echo-c');
    await run('cc', [
      '-O1',
      `-I${folder}`,
      join(sources, 'echo.c'),
      join(folder, 'types.c'),
      '-lddsc',
      '-o',
      program,
    ]);
    await throughPeer(program);
  });

  it.skipIf(noFast)(
    `with a C++ program on Fast DDS, which reads and writes text by Fast CDR${noFast ? ` (skipped: ${noFast})` : ''}`,
    { timeout: 300_000 },
    async () => {
      await throughPeer(await fastPeer!, true);
    },
  );
});
