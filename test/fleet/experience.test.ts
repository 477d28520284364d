import { describe, expect, it } from 'vitest';
import { decodeExperience, encodeExperience } from '../../src/fleet/experience.js';
import { MalformedMessage } from '../../src/fleet/refusals.js';
import { experience, sizes } from './support.js';

const batch = {
  session: '0123456789abcdef',
  first: 2 ** 40 + 3,
  oldest: 2 ** 40,
  transitions: [
    experience(0),
    experience(1, { truncated: true }),
    experience(2, { terminal: true, episode: 7 }),
  ],
};

describe('the experience batch', () => {
  it('comes back as it was', () => {
    expect(decodeExperience(encodeExperience(batch, sizes), sizes)).toEqual(batch);
    const empty = { ...batch, transitions: [] };
    expect(decodeExperience(encodeExperience(empty, sizes), sizes)).toEqual(empty);
  });

  it('is refused when any one byte of it is wrong', () => {
    const good = encodeExperience(batch, sizes);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] ^= 0x10;
      expect(() => decodeExperience(bad, sizes), `byte ${at}`).toThrow(MalformedMessage);
    }
  });

  it('is refused when it is cut short, at any length', () => {
    const good = encodeExperience(batch, sizes);
    for (let length = 0; length < good.length; length++)
      expect(() => decodeExperience(good.subarray(0, length), sizes), `${length} bytes`).toThrow(
        MalformedMessage,
      );
  });

  it('names what does not fit', () => {
    const good = encodeExperience(batch, sizes);
    expect(() => decodeExperience(good, { ...sizes, observation: 4 })).toThrow('observations of 3');
    const newer = Buffer.from(good);
    newer.writeUInt16LE(2, 4);
    expect(() => decodeExperience(newer, sizes)).toThrow('schema version 2, expected 1');
    const nan = encodeExperience({ ...batch, transitions: [experience(0, { reward: Number.NaN })] }, sizes);
    expect(() => decodeExperience(nan, sizes)).toThrow('not finite');
    const backwards = encodeExperience({ ...batch, oldest: batch.first + 1 }, sizes);
    expect(() => decodeExperience(backwards, sizes)).toThrow('before the oldest');
  });
});
