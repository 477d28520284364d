import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McapWriter } from '@mcap/core';
import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { RecordingFile } from '../../src/recording/file.js';
import { readRecording } from '../../src/recording/read.js';
import { recover } from '../../src/recording/recover.js';
import { encode } from '../../src/ros/codec.js';
import { killAndRecover } from './kill.js';
import { readMcap } from './mcap.js';

const folder = mkdtempSync(join(tmpdir(), 'reverie-recover-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A recording of many chunks. */
async function recording(name: string, count = 2000): Promise<string> {
  const path = join(folder, name);
  const file = await RecordingFile.create(path, { reverie: { robot: 'nobody' } });
  const random = new Random(1);
  for (let n = 0; n < count; n++) {
    const data = Float64Array.from({ length: 100 }, () => random.uniform());
    data[0] = n;
    const bytes = encode('std_msgs/msg/Float64MultiArray', { layout: { dim: [], data_offset: 0 }, data });
    await file.write('/numbers', 'std_msgs/msg/Float64MultiArray', bytes, BigInt(n), BigInt(n));
  }
  await file.close();
  return path;
}

describe('recover', () => {
  it('gives all of a whole file, in zstd and with its metadata', async () => {
    const path = await recording('whole.mcap');
    const result = await recover(path, join(folder, 'whole.out'));
    expect(result).toMatchObject({ messages: 2000, lost_bytes: 0, episodes: 0 });
    const { metadata, compressions, schemas } = readMcap(result.out);
    expect(metadata.get('reverie')?.get('robot')).toBe('nobody');
    expect([...compressions]).toEqual(['zstd']);
    expect(schemas.get('std_msgs/msg/Float64MultiArray')).toMatch(/^ros2msg\n/);
  });

  it('gets over a chunk that is damaged, and counts its bytes', async () => {
    const path = await recording('damaged.mcap');
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)] ^= 0xff;
    writeFileSync(path, bytes);
    const { messages, lost_bytes, out } = await recover(path, join(folder, 'damaged.out'));
    expect(messages).toBeGreaterThan(1000);
    expect(messages).toBeLessThan(2000);
    expect(lost_bytes).toBeGreaterThan(0);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readMcap(out).messages).toHaveLength(messages);
  });

  it('gives what lies before a cut, wherever that is', async () => {
    const whole = readFileSync(await recording('cut.mcap', 600));
    const random = new Random(2);
    for (let k = 0; k < 12; k++) {
      const path = join(folder, `cut-${k}.mcap`);
      const length = 9 + random.integer(whole.length - 9);
      writeFileSync(path, whole.subarray(0, length));
      const { messages, out, lost_bytes } = await recover(path, `${path}.out`);
      expect(lost_bytes).toBeLessThan(length);
      const found = readMcap(out).messages;
      expect(found).toHaveLength(messages);
      found.forEach((m, i) => {
        expect(m.logTime).toBe(BigInt(i));
      });
    }
  });

  it('gives a whole beginning after SIGKILL at any moment', async () => {
    const random = new Random(3);
    let recovered = 0;
    for (let k = 0; k < 10; k++)
      recovered += (await killAndRecover(join(folder, `killed-${k}.mcap`), random.uniform(0, 250))).messages;
    expect(recovered).toBeGreaterThan(0);
  });

  it('refuses what is no recording, and never writes over anything', async () => {
    const text = join(folder, 'text.mcap');
    writeFileSync(text, 'not a recording, but long enough to look like one');
    await expect(recover(text, join(folder, 'x'))).rejects.toThrow(/no MCAP recording/);
    await expect(recover(join(folder, 'nobody'), join(folder, 'x'))).rejects.toThrow(
      /cannot be read \(ENOENT\)/,
    );
    const path = await recording('over.mcap', 10);
    appendFileSync(join(folder, 'there'), '');
    await expect(recover(path, join(folder, 'there'))).rejects.toThrow(/never written over/);
  });
});

describe('a recording of somebody else', () => {
  it('is refused with the reason', async () => {
    const path = join(folder, 'foreign.mcap');
    const parts: Uint8Array[] = [];
    let at = 0n;
    const writer = new McapWriter({
      writable: {
        position: () => at,
        write: async (bytes: Uint8Array) => {
          parts.push(bytes.slice());
          at += BigInt(bytes.length);
        },
      },
    });
    await writer.start({ profile: 'ros2', library: 'somebody' });
    await writer.end();
    writeFileSync(path, Buffer.concat(parts));
    await expect(readRecording(path)).rejects.toThrow(/not one of Reverie's/);
  });

  it('is refused where what it says of itself is not right', async () => {
    const path = join(folder, 'odd.mcap');
    await (await RecordingFile.create(path, { reverie: { robot: 'arm' } })).close();
    await expect(readRecording(path)).rejects.toThrow(/metadata[\s\S]*joints/);
  });
});
