import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer } from '../../drivers/framing.js';
import * as mit from '../../drivers/mitcan/codec.js';
import * as moteus from '../../drivers/moteus/codec.js';
import { Random } from '../../src/base/random.js';
import { codecs } from './codecs.js';

/** Streams tried for each codec; the figures of the project are from 1 000 000. */
const STREAMS = Number(process.env.REVERIE_FUZZ_STREAMS ?? 5000);

describe.each(Object.entries(codecs))('the %s codec', (name, { framing, sample, filler }) => {
  it('reads what it wrote, however it was cut', () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 30 }),
        (all, cut) => {
          const stream = Buffer.concat(all.map(({ bytes }) => bytes));
          const framer = new Framer(framing);
          const seen: unknown[] = [];
          for (let at = 0; at < stream.length; at += cut)
            framer.push(stream.subarray(at, at + cut), (f) => seen.push(f));
          expect(seen).toEqual(all.map(({ value }) => value));
          expect(framer.strays).toBe(0);
        },
      ),
      { seed: 1 },
    );
  });

  it(`survives ${STREAMS} damaged streams and goes on within one frame`, () => {
    const frames = fc.sample(sample, { seed: 2, numRuns: 200 });
    const quiet = new Uint8Array(framing.longest).fill(filler);
    const framer = new Framer(framing);
    const random = Random.stream(3, name);
    let last: unknown;
    for (let i = 0; i < STREAMS; i++) {
      const stream = damaged(random, frames);
      framer.push(stream, () => {});
      framer.push(quiet, () => {});
      const { bytes, value } = frames[random.integer(frames.length)];
      last = undefined;
      framer.push(bytes, (frame) => {
        last = frame;
      });
      // Comparing deeply takes longer than all the rest.
      if (last === undefined || i % 100 === 0) expect(last, `stream ${i}`).toEqual(value);
      framer.reset();
    }
  }, 3_600_000);
});

/** Random bytes, or good frames with bits flipped, bytes lost, doubled or cut off. */
function damaged(random: Random, frames: readonly { readonly bytes: Uint8Array }[]): Uint8Array {
  if (random.integer(3) === 0)
    return Uint8Array.from({ length: random.integer(80) }, () => random.integer(256));
  const stream = Buffer.concat(
    Array.from({ length: 1 + random.integer(3) }, () => frames[random.integer(frames.length)].bytes),
  );
  for (let n = 1 + random.integer(3); n > 0; n--)
    stream[random.integer(stream.length)] ^= 1 << random.integer(8);
  const from = random.integer(4) === 0 ? random.integer(stream.length) : 0;
  const to = random.integer(2) === 0 ? random.integer(stream.length + 1) : stream.length;
  return stream.subarray(Math.min(from, to), to);
}

describe('payloads of the wrong shape', () => {
  it('are refused, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
        mit.decodeCommand(data, mit.DM4310);
        mit.decodeFeedback(data, mit.DM4310);
        mit.decodeSpecial(data);
        const values = moteus.decodeReply(data);
        // What is taken for a reply holds no more than its bytes can.
        expect((values ?? []).flatMap((w) => w.values).length).toBeLessThanOrEqual(data.length);
      }),
      { seed: 4, numRuns: 2000 },
    );
  });

  it('of moteus come back as they were', () => {
    const int16 = fc.integer({ min: -32768, max: 32767 });
    fc.assert(
      fc.property(
        fc.array(int16, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 500 }),
        (values, register) => {
          const writes = [{ register, kind: 'int16' as const, values }];
          expect(moteus.decodeReply(moteus.encodeReply(writes))).toEqual(writes);
        },
      ),
      { seed: 5 },
    );
  });

  it('of MIT-style drives come back within one step', () => {
    const range = mit.DM4310;
    const value = (most: number) => fc.double({ min: -most, max: most, noNaN: true });
    fc.assert(
      fc.property(value(12.5), value(30), value(10), (position_rad, velocity_rad_s, torque_nm) => {
        const sent = { position_rad, velocity_rad_s, kp_nm_rad: 20, kd_nm_s_rad: 1, torque_nm };
        const got = mit.decodeCommand(mit.encodeCommand(sent, range), range)!;
        expect(Math.abs(got.position_rad - position_rad)).toBeLessThanOrEqual(25 / 65535);
        expect(Math.abs(got.velocity_rad_s - velocity_rad_s)).toBeLessThanOrEqual(60 / 4095);
        expect(Math.abs(got.torque_nm - torque_nm)).toBeLessThanOrEqual(20 / 4095 + 1e-12);
      }),
      { seed: 6 },
    );
  });
});
