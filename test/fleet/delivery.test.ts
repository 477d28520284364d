import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeBatch, recordBytes, writeRecord } from '../../src/fleet/experience.js';
import { robotTopics, runTopics } from '../../src/fleet/topics.js';
import {
  broker,
  eventually,
  experience,
  learner,
  link,
  names,
  robot,
  sizes,
  temporaryFolder,
  upTo,
} from './support.js';

const topics = runTopics(names.site, names.run);

function batch(spool: string, first: number, ...steps: number[]): Buffer {
  const size = recordBytes(sizes);
  const records = Buffer.alloc(steps.length * size);
  steps.forEach((n, i) => {
    writeRecord(experience(n), sizes, records.subarray(i * size, (i + 1) * size));
  });
  return encodeBatch({ spool, life: 1, first, oldest: 0 }, records, sizes);
}

describe('experience over a broker', () => {
  it('arrives once and in order, and leaves the robot when it is stored', async () => {
    const { url } = await broker();
    const into = await learner(await link(url));
    // Nothing is repeated before a slow machine could have answered.
    const { spool } = await robot(await link(url), temporaryFolder(), { resendAfter_s: 60 });
    for (const n of upTo(300)) spool.add(experience(n));
    await eventually('all stored', () => spool.pending === 0);
    expect(into.taken).toEqual(upTo(300));
    const { stored, duplicates, lost } = into.receiver;
    expect({ stored, duplicates, lost }).toEqual({ stored: 300, duplicates: 0, lost: 0 });
  });

  it('is kept while there is no learner, and goes to the one that comes', async () => {
    const { url } = await broker();
    const { spool } = await robot(await link(url));
    for (const n of upTo(70)) spool.add(experience(n));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(spool.pending).toBe(70);
    const into = await learner(await link(url));
    await eventually('all stored', () => spool.pending === 0);
    expect(into.taken).toEqual(upTo(70));
  });

  it('is not stored twice when the word that it is stored was lost with the learner', async () => {
    const { url } = await broker();
    const folder = temporaryFolder();
    const first = await link(url);
    const before = await learner(first, folder);
    const { spool } = await robot(await link(url));
    for (const n of upTo(3)) spool.add(experience(n));
    await eventually('joined', () => spool.pending === 0);
    // From here on the robot hears nothing of what this learner stores.
    first.publish = () => {};
    for (let n = 3; n < 10; n++) spool.add(experience(n));
    await eventually('repeated to the first', () => before.receiver.duplicates > 0);
    expect(spool.pending).toBe(7);
    await first.client.endAsync(true);
    before.receiver.close();
    const after = await learner(await link(url), folder);
    await eventually('repeated to the second', () => after.receiver.duplicates > 0);
    for (const n of [10, 11]) spool.add(experience(n));
    await eventually('all stored', () => spool.pending === 0);
    expect([...before.taken, ...after.taken]).toEqual(upTo(12));
  });

  it('is not stored twice when the learner dies between replay and cursor', async () => {
    const { url } = await broker();
    const [folder, copy] = [temporaryFolder(), temporaryFolder()];
    const first = await link(url);
    const before = await learner(first, folder);
    const { spool } = await robot(await link(url));
    for (const n of upTo(20)) spool.add(experience(n));
    await eventually('stored', () => spool.pending === 0);
    await first.client.endAsync(true);
    // What SIGKILL leaves after the replay was flushed and before the cursors were written.
    for (let n = 20; n < 25; n++) before.replay.add({ stream: 1 << 16, ...experience(n) });
    before.replay.flush();
    mkdirSync(copy, { recursive: true });
    for (const file of ['replay.bin', 'received.json']) copyFileSync(join(folder, file), join(copy, file));
    const after = await learner(await link(url), copy);
    expect(after.replay.added).toBe(20);
    for (let n = 20; n < 30; n++) spool.add(experience(n));
    await eventually('all stored', () => spool.pending === 0);
    expect(after.replay.added).toBe(30);
    expect(after.taken).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  });

  it('goes on over a robot that is started again, its older steps first', async () => {
    const { url } = await broker();
    const folder = temporaryFolder();
    const before = await robot(await link(url), folder);
    for (const n of upTo(30)) before.spool.add(experience(n));
    before.sender.close();
    before.spool.close();
    const after = await robot(await link(url), folder);
    for (let n = 30; n < 40; n++) after.spool.add(experience(n));
    const into = await learner(await link(url));
    await eventually('all stored', () => after.spool.pending === 0);
    expect(into.taken).toEqual(upTo(40));
    // A new life of the robot does not continue the step before it.
    expect(into.gaps).toEqual([0, 30]);
  });

  it('survives a broker that goes away and comes back', async () => {
    const first = await broker();
    const port = Number(new URL(first.url).port);
    const into = await learner(await link(first.url));
    const { spool } = await robot(await link(first.url));
    for (const n of upTo(5)) spool.add(experience(n));
    await eventually('stored', () => spool.pending === 0);
    await first.close();
    for (let n = 5; n < 90; n++) spool.add(experience(n));
    await broker(port);
    await eventually('all stored', () => spool.pending === 0);
    expect(into.taken).toEqual(upTo(90));
  });

  it('loses the oldest, counted on both sides, when nobody comes for long', async () => {
    const { url } = await broker();
    const small = { maxBytes: 20 * recordBytes(sizes), segmentBytes: 5 * recordBytes(sizes) };
    const learnerLink = await link(url);
    const into = await learner(learnerLink);
    const { spool } = await robot(await link(url), temporaryFolder(), small);
    for (const n of upTo(5)) spool.add(experience(n));
    await eventually('stored', () => spool.pending === 0);
    for (let n = 5; n < 50; n++) spool.add(experience(n));
    await eventually('the rest', () => into.taken.at(-1) === 49 && spool.pending === 0);
    expect(spool.lost).toBeGreaterThan(20);
    expect(into.receiver.lost).toBe(spool.lost);
    expect(into.taken.length).toBe(50 - spool.lost);
    expect(into.gaps).toEqual([0, 5 + spool.lost]);
  });

  it('refuses what is malformed or forged, says so once, and goes on', async () => {
    const { url } = await broker();
    const lines: string[] = [];
    const into = await learner(await link(url), temporaryFolder(), (line) => lines.push(line));
    const { receiver } = into;
    const other = await link(url);
    const answers: string[] = [];
    await other.subscribe(robotTopics(names.site, 'robot').stored, (payload) => {
      answers.push(payload.toString());
    });
    const send = (payload: Buffer, from = 'robot') =>
      other.publish(topics.experience(receiver.learner, from), payload);
    for (let i = 0; i < 3; i++) send(Buffer.from('hello'));
    send(Buffer.alloc(60, 'RVX1'));
    send(batch('0011223344556677', 0, 0, 1));
    await eventually('the good one', () => receiver.stored === 2);
    // The spool of another robot under one's own name.
    send(batch('0011223344556677', 2, 2), 'stranger');
    await eventually('the forged one', () => receiver.refusals.total === 5);
    expect(into.taken).toEqual([0, 1]);
    expect([...receiver.refusals.counts.values()]).toEqual([3, 1, 1]);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toContain('forged');
    expect(answers.some((a) => JSON.parse(a).refused?.includes('RVX1'))).toBe(true);
  });

  it.each([
    [
      'of an unknown schema version',
      2,
      'schema version 2, expected 1',
      (bytes: Buffer) => bytes.writeUInt16LE(2, 4),
    ],
    [
      'that is oversized',
      3,
      'oversized',
      (bytes: Buffer) => {
        bytes.writeUInt32LE(5000, 20);
        bytes.writeUInt32LE(crc32(bytes.subarray(0, 48)), 48);
      },
    ],
  ])('refuses a batch %s, counts each and says it once, on both sides', async (_, times, reason, spoil) => {
    const { url } = await broker();
    const said: string[] = [];
    const heard: string[] = [];
    const { receiver, taken } = await learner(await link(url), temporaryFolder(), (line) => said.push(line));
    const on = await link(url);
    const { spool } = await robot(on, temporaryFolder(), { onNotice: (line) => heard.push(line) });
    spool.add(experience(0));
    await eventually('joined', () => spool.pending === 0);
    // From now on what the robot sends arrives spoiled.
    const { publish } = on;
    on.publish = (topic, payload, options) => {
      const bytes = Buffer.from(payload);
      if (topic.includes('/experience/')) spoil(bytes);
      publish.call(on, topic, bytes, options);
    };
    for (const n of [1, 2, 3]) spool.add(experience(n));
    await eventually('refused again and again', () => receiver.refusals.total >= times);
    await eventually('told', () => heard.length > 0);
    expect(spool.pending).toBe(3);
    expect([said.length, heard.length]).toEqual([1, 1]);
    expect(said[0]).toContain(reason);
    expect(heard[0]).toContain(reason);
    on.publish = publish;
    await eventually('stored after all', () => spool.pending === 0);
    expect(taken).toEqual([0, 1, 2, 3]);
  });

  it('keeps on the robot what the learner refuses, and the robot says why once', async () => {
    const { url } = await broker();
    const lines: string[] = [];
    const { spool } = await robot(await link(url), temporaryFolder(), {
      onNotice: (line) => lines.push(line),
    });
    const other = await link(url);
    const say = (answer: object) =>
      other.publish(
        robotTopics(names.site, names.robot).stored,
        JSON.stringify({ learner: 'newer', ...answer }),
      );
    for (const n of upTo(10)) spool.add(experience(n));
    for (let i = 0; i < 3; i++) say({ refused: 'schema version 1, expected 2' });
    // More than was ever sent: nobody who has it stored can say that.
    say({ spool: spool.id, life: spool.life, next: 11 });
    await eventually('both said', () => lines.length === 2);
    expect(lines[0]).toContain('schema version 1, expected 2');
    expect(lines[1]).toContain('more stored (11) than was ever made (10)');
    expect(spool.pending).toBe(10);
  });

  it('leaves a batch whose predecessor is missing for the sender to repeat', async () => {
    const { url } = await broker();
    const { receiver, taken } = await learner(await link(url));
    const other = await link(url);
    const send = (first: number, ...steps: number[]) =>
      other.publish(topics.experience(receiver.learner, 'robot'), batch('0011223344556677', first, ...steps));
    send(0, 0, 1);
    send(4, 4, 5);
    send(1, 1, 2, 3);
    send(4, 4, 5);
    await eventually('all', () => receiver.stored === 6);
    expect(taken).toEqual(upTo(6));
    expect(receiver.duplicates).toBe(1);
  });

  it('keeps the robots of one learner apart', async () => {
    const { url } = await broker();
    const into = await learner(await link(url));
    const robots = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => robot(await link(url), temporaryFolder(), { robot: name })),
    );
    for (const n of upTo(40)) for (const { spool } of robots) spool.add(experience(n));
    await eventually('all stored', () => robots.every(({ spool }) => spool.pending === 0));
    expect(into.receiver.robots).toBe(3);
    expect(into.replay.added).toBe(120);
    expect(into.gaps).toEqual([0, 0, 0]);
  });
});
