import { describe, expect, it } from 'vitest';
import { decodeBatch, encodeBatch, recordBytes, writeRecord } from '../../src/fleet/experience.js';
import { MalformedMessage } from '../../src/fleet/refusals.js';
import type { Experience } from '../../src/robot/experience.js';
import { experience, sizes } from './support.js';

const header = { spool: '0123456789abcdef', life: 3, first: 2 ** 40 + 3, oldest: 2 ** 40 };
const transitions = [
  experience(0),
  experience(1, { truncated: true, person: true }),
  experience(2, { terminal: true, episode: 7 }),
];

function encode(what: readonly Experience[], head = header): Buffer {
  const size = recordBytes(sizes);
  const records = Buffer.alloc(what.length * size);
  what.forEach((t, i) => {
    expect(writeRecord(t, sizes, records.subarray(i * size, (i + 1) * size))).toBe(true);
  });
  return encodeBatch(head, records, sizes);
}

describe('the experience batch', () => {
  it('comes back as it was', () => {
    expect(decodeBatch(encode(transitions), sizes)).toEqual({ ...header, transitions });
    expect(decodeBatch(encode([]), sizes)).toEqual({ ...header, transitions: [] });
  });

  it('is refused when any one byte of it is wrong', () => {
    const good = encode(transitions);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] ^= 0x10;
      expect(() => decodeBatch(bad, sizes), `byte ${at}`).toThrow(MalformedMessage);
    }
  });

  it('is refused when it is cut short, at any length', () => {
    const good = encode(transitions);
    for (let length = 0; length < good.length; length++)
      expect(() => decodeBatch(good.subarray(0, length), sizes), `${length} bytes`).toThrow(MalformedMessage);
  });

  it('names what does not fit', () => {
    const good = encode(transitions);
    expect(() => decodeBatch(good, { ...sizes, observation: 4 })).toThrow('observations of 3');
    const newer = Buffer.from(good);
    newer.writeUInt16LE(2, 4);
    expect(() => decodeBatch(newer, sizes)).toThrow('schema version 2, expected 1');
    expect(() => decodeBatch(encode(transitions, { ...header, oldest: header.first + 1 }), sizes)).toThrow(
      'before the oldest',
    );
  });

  it('takes no number that is not finite', () => {
    const record = Buffer.alloc(recordBytes(sizes));
    expect(writeRecord(experience(0, { reward: Number.NaN }), sizes, record)).toBe(false);
    const action = Float32Array.of(0, Number.POSITIVE_INFINITY);
    expect(writeRecord(experience(0, { action }), sizes, record)).toBe(false);
  });
});
