import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordBytes } from '../../src/fleet/experience.js';
import { processMark } from '../../src/fleet/lock.js';
import { Spool, type SpoolOptions } from '../../src/fleet/spool.js';
import { experience, opened, sizes, temporaryFolder } from './support.js';

const size = recordBytes(sizes);

function spool(folder: string, options: SpoolOptions = {}): Spool {
  return opened(Spool.open(folder, sizes, options));
}

/** As a killed process leaves it: its lock names nobody who lives, and nothing was closed. */
function killed(folder: string): void {
  writeFileSync(join(folder, 'lock'), '999999999');
}

const segments = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.spool'));
const steps = (records: Buffer) =>
  Array.from({ length: records.length / size }, (_, i) => records.readUInt32LE(i * size + 4));

describe('the spool', () => {
  it('keeps what it was given until it is acknowledged, and then takes no room', () => {
    const folder = temporaryFolder();
    const kept = spool(folder, { segmentBytes: 10 * size });
    for (let n = 0; n < 25; n++) kept.add(experience(n));
    expect(kept.backlog).toEqual({ life: 1, oldest: 0, end: 25 });
    expect(segments(folder)).toHaveLength(3);
    kept.acknowledge(1, 19);
    expect(kept.backlog).toEqual({ life: 1, oldest: 19, end: 25 });
    expect(kept.pending).toBe(6);
    expect(steps(kept.read(1, 19, 100))).toEqual(
      [19, 20, 21, 22, 23, 24].slice(0, kept.read(1, 19, 100).length / size),
    );
    kept.acknowledge(1, 25);
    expect(kept.backlog).toBeUndefined();
    expect(segments(folder).length).toBeLessThanOrEqual(1);
  });

  it('finds everything again after a kill, the older life first, but for a torn last record', () => {
    const folder = temporaryFolder();
    const first = spool(folder);
    for (let n = 0; n < 5; n++) first.add(experience(n));
    killed(folder);
    appendFileSync(join(folder, segments(folder)[0]), Buffer.alloc(size - 1, 7));
    const second = spool(folder);
    expect([second.id, second.life]).toEqual([first.id, 2]);
    second.add(experience(100));
    expect(second.backlog).toEqual({ life: 1, oldest: 0, end: 5 });
    expect(steps(second.read(1, 0, 64))).toEqual([0, 1, 2, 3, 4]);
    second.acknowledge(1, 5);
    expect(second.backlog).toEqual({ life: 2, oldest: 0, end: 1 });
    expect(steps(second.read(2, 0, 64))).toEqual([100]);
  });

  it('never gives a number twice, even where the end of a life was lost', () => {
    const folder = temporaryFolder();
    const first = spool(folder);
    for (let n = 0; n < 5; n++) first.add(experience(n));
    killed(folder);
    const [name] = segments(folder);
    // A power cut: what was not yet on the platter is gone, after a learner may have seen it.
    truncateSync(join(folder, name), 40 + 2 * size);
    const second = spool(folder);
    second.add(experience(9));
    expect(second.backlog).toEqual({ life: 1, oldest: 0, end: 2 });
    expect(second.life).toBe(2);
  });

  it('gives up the oldest segment when it is full, and counts what was lost', () => {
    const folder = temporaryFolder();
    const lines: string[] = [];
    const small = spool(folder, {
      maxBytes: 40 * size,
      segmentBytes: 10 * size,
      onNotice: (line) => lines.push(line),
    });
    for (let n = 0; n < 100; n++) small.add(experience(n));
    const { oldest, end } = small.backlog!;
    expect(end).toBe(100);
    expect(small.lost).toBe(oldest);
    expect(end - oldest).toBeGreaterThan(20);
    expect(small.bytes).toBeLessThanOrEqual(40 * size);
    expect(lines).toHaveLength(1);
  });

  it('gives up a record that the disk has damaged, and goes on behind it', () => {
    const folder = temporaryFolder();
    const kept = spool(folder);
    for (let n = 0; n < 3; n++) kept.add(experience(n));
    const path = join(folder, segments(folder)[0]);
    const bytes = readFileSync(path);
    bytes[40 + size + 9] ^= 1;
    writeFileSync(path, bytes);
    expect(steps(kept.read(1, 0, 64))).toEqual([0]);
    kept.acknowledge(1, 1);
    expect(kept.read(1, 1, 64)).toHaveLength(0);
    expect(kept.lost).toBe(1);
    expect(steps(kept.read(1, 2, 64))).toEqual([2]);
  });

  it('sets aside what another task left, and says so', () => {
    const folder = temporaryFolder();
    const lines: string[] = [];
    const other = Spool.open(folder, { observation: 9, action: 1 });
    const vector = new Float32Array(9);
    other.add(experience(0, { observation: vector, nextObservation: vector, action: new Float32Array(1) }));
    other.close();
    const mine = spool(folder, { onNotice: (line) => lines.push(line) });
    expect(mine.backlog).toBeUndefined();
    expect(lines[0]).toContain('9 observations and 1 actions');
    expect(readdirSync(join(folder, 'set-aside'))).toHaveLength(1);
  });

  it('is for one process at a time', () => {
    const folder = temporaryFolder();
    spool(folder);
    // The parent of this process lives as long as it does.
    writeFileSync(join(folder, 'lock'), processMark(process.ppid));
    expect(() => Spool.open(folder, sizes)).toThrow(`process ${process.ppid} has this spool open`);
  });

  it('is taken over from a dead process whose number another one has now', () => {
    const folder = temporaryFolder();
    spool(folder);
    writeFileSync(join(folder, 'lock'), processMark(process.ppid).replace(/\d+$/, '1'));
    expect(spool(folder).life).toBe(2);
  });

  it('keeps no number that is not finite', () => {
    const kept = spool(temporaryFolder());
    kept.add(experience(0, { reward: Number.NaN }));
    kept.add(experience(1));
    expect([kept.invalid, kept.added]).toEqual([1, 1]);
  });
});
