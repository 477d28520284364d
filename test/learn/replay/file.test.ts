import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Random } from '../../../src/base/random.js';
import { RecordLayout } from '../../../src/learn/replay/record.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { ReplayBatch } from '../../../src/learn/replay/transition.js';
import { addNumbered, contract } from './numbered.js';

const recordBytes = 4 * new RecordLayout(contract).words;
const headerBytes = 64;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  path = join(folder, 'replay.bin');
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(capacity: number, flushEvery = 7): Replay {
  return new Replay({ ...contract, capacity, discount: 0.99, path, flushEvery });
}

function addMany(replay: Replay, count: number): void {
  for (let k = 0; k < count; k++) addNumbered(replay);
}

/** Samples so much that every transition comes up; checks that each is whole. @returns the ids, sorted */
function ids(replay: Replay): number[] {
  const rows = 30 * replay.size;
  const batch = new ReplayBatch(rows, contract);
  replay.sample(rows, new Random(1), batch);
  const seen = new Set<number>();
  for (let row = 0; row < rows; row++) {
    const id = batch.reward[row];
    seen.add(id);
    const observation = [...batch.observation.subarray(5 * row, 5 * row + 5)];
    if (String(observation) !== String([id, id + 1, id + 2, id + 3, id + 4])) expect(observation).toBe(id);
    const action = [...batch.action.subarray(2 * row, 2 * row + 2)];
    if (action[0] !== id || action[1] !== -id) expect(action).toBe(id);
    if (batch.nextObservation.subarray(5 * row, 5 * row + 5).some((x) => x !== id)) expect(row).toBe(id);
  }
  return [...seen].sort((a, b) => a - b);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('the replay file', () => {
  it('carries the ring on, before and after it wraps', () => {
    const first = open(100);
    addMany(first, 60);
    first.close();
    const second = open(100);
    expect(second.recovery).toEqual({ records: 60, lost: 0, added: 60 });
    addMany(second, 95);
    second.close();
    const third = open(100);
    expect(third.recovery).toEqual({ records: 100, lost: 0, added: 155 });
    expect(ids(third)).toEqual(range(55, 155));
    third.close();
  });

  it('samples after reopening as before closing', () => {
    const before = new Replay({ ...contract, capacity: 64, discount: 0.9, nSteps: 4, path });
    addMany(before, 150);
    const a = new ReplayBatch(200, contract);
    before.sample(200, new Random(4), a);
    before.close();
    const after = new Replay({ ...contract, capacity: 64, discount: 0.9, nSteps: 4, path });
    const b = new ReplayBatch(200, contract);
    after.sample(200, new Random(4), b);
    expect(b).toEqual(a);
    after.close();
  });

  it('does not join episodes across a restart', () => {
    for (let run = 0; run < 2; run++) {
      const replay = new Replay({ ...contract, capacity: 64, discount: 0.9, nSteps: 9, path });
      addMany(replay, 9);
      if (run === 1) {
        const batch = new ReplayBatch(300, contract);
        replay.sample(300, new Random(4), batch);
        for (let row = 0; row < 300; row++) {
          const id = batch.observation[5 * row];
          // Stream s stored s, s + 3, s + 6 in the first run; the second continues the numbers.
          expect(batch.nextObservation[5 * row]).toBe((id < 9 ? 6 : 15) + (id % 3));
        }
      }
      replay.close();
    }
  });

  it.each([1000, 90])('survives SIGKILL at any moment (capacity %i)', async (capacity) => {
    const random = new Random(capacity);
    let least = 0;
    for (let round = 0; round < 5; round++) {
      const reported = await writeAndKill(capacity, random.uniform(5, 120));
      expect(reported).toBeGreaterThan(least);
      const replay = open(capacity);
      const { records, lost, added } = replay.recovery!;
      expect(added).toBeGreaterThanOrEqual(reported);
      // A write that was under way may have torn one record, and with it the old one in its place.
      expect(lost).toBeLessThanOrEqual(1);
      expect(records).toBe(Math.min(capacity, added) - lost);
      const seen = ids(replay);
      expect(seen).toEqual(range(added - seen.length, added));
      addMany(replay, 10);
      replay.close();
      least = added + 10;
    }
  });

  it('recovers a truncated file up to where it ends and says how many are lost', () => {
    const replay = open(1000);
    addMany(replay, 400);
    replay.close();
    truncateSync(path, headerBytes + 250 * recordBytes + 11);
    const recovered = open(1000);
    expect(recovered.recovery).toEqual({ records: 250, lost: 150, added: 250 });
    expect(ids(recovered)).toEqual(range(0, 250));
    // It goes on from there.
    addMany(recovered, 5);
    recovered.close();
    expect(open(1000).recovery).toEqual({ records: 255, lost: 0, added: 255 });
  });

  it('recovers a truncated ring that had wrapped, with a gap, until the gap is filled again', () => {
    const replay = open(100);
    addMany(replay, 130);
    replay.close();
    truncateSync(path, headerBytes + 70 * recordBytes);
    const recovered = open(100);
    expect(recovered.recovery).toEqual({ records: 70, lost: 30, added: 130 });
    expect(ids(recovered)).toEqual([...range(30, 70), ...range(100, 130)]);
    addMany(recovered, 75);
    expect(recovered.size).toBe(100);
    expect(ids(recovered)).toEqual(range(105, 205));
    recovered.close();
  });

  it('leaves out a record with a wrong checksum', () => {
    const replay = open(100);
    addMany(replay, 50);
    replay.close();
    const bytes = readFileSync(path);
    bytes[headerBytes + 20 * recordBytes + 40] ^= 1;
    writeFileSync(path, bytes);
    const recovered = open(100);
    expect(recovered.recovery).toEqual({ records: 49, lost: 1, added: 50 });
    expect(ids(recovered)).toEqual([...range(0, 20), ...range(21, 50)]);
    recovered.close();
  });

  it('is rewound on disk too', () => {
    const replay = open(100);
    addMany(replay, 120);
    replay.rewind(110);
    replay.close();
    const again = open(100);
    expect(again.recovery).toEqual({ records: 90, lost: 10, added: 110 });
    expect(ids(again)).toEqual(range(20, 110));
    again.close();
  });

  const foreign: [string, (bytes: Buffer) => Buffer, object, string][] = [
    ['a foreign file', () => Buffer.from('id,name\n1,x\n'), {}, 'not a replay file'],
    ['an empty file', () => Buffer.alloc(0), {}, 'not a replay file'],
    ['a header cut short', (b) => b.subarray(0, 30), {}, 'header of this replay file is damaged'],
    [
      'another observation',
      (b) => b,
      { observation: 6 },
      'holds transitions of 5 observations and 2 actions',
    ],
    ['another action', (b) => b, { action: 3 }, 'expected 5 and 3'],
    [
      'another capacity',
      (b) => b,
      { capacity: 77 },
      'holds up to 10 transitions, a capacity of 77 was asked for',
    ],
  ];
  it.each(foreign)('refuses %s and leaves it as it is', (_, change, options, message) => {
    const replay = open(10);
    addMany(replay, 8);
    replay.close();
    const given = change(readFileSync(path));
    writeFileSync(path, given);
    const attempt = () => new Replay({ ...contract, capacity: 10, discount: 0.99, path, ...options });
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(path);
    expect(readFileSync(path).equals(given)).toBe(true);
  });

  it('names the folder that is missing', () => {
    path = join(folder, 'nowhere', 'replay.bin');
    expect(() => open(10)).toThrow(`${path}: cannot be opened (ENOENT)`);
  });
});

/** Lets a child write and kills it `delay_ms` after its first report. @returns the last count it reported */
async function writeAndKill(capacity: number, delay_ms: number): Promise<number> {
  const script = fileURLToPath(new URL('./writer.js', import.meta.url));
  const child = spawn(process.execPath, [script, path, String(capacity)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), delay_ms);
    output += data;
  });
  const signal = await new Promise((resolve) => child.on('close', (_, s) => resolve(s)));
  expect(signal).toBe('SIGKILL');
  const whole = output.slice(0, output.lastIndexOf('\n')).split('\n');
  return Number(whole[whole.length - 1]);
}
