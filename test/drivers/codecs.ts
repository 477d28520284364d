import fc from 'fast-check';
import * as slcan from '../../drivers/can/slcan.js';
import * as dynamixel from '../../drivers/dynamixel/codec.js';
import * as feetech from '../../drivers/feetech/codec.js';
import type { Framing } from '../../drivers/framing.js';
import * as microstrain from '../../drivers/imu/microstrain.js';
import * as rvc from '../../drivers/imu/rvc.js';
import * as witmotion from '../../drivers/imu/witmotion.js';
import * as xsens from '../../drivers/imu/xsens.js';
import * as moteus from '../../drivers/moteus/codec.js';
import * as odrive from '../../drivers/odrive/codec.js';

/** A codec with arbitrary good frames of its own and what they are to be read as. */
export interface Codec {
  readonly framing: Framing<unknown>;
  readonly sample: fc.Arbitrary<{ readonly bytes: Uint8Array; readonly value: unknown }>;
  /** Bytes in which no frame goes on for longer than the longest. */
  readonly filler: number;
}

const text = (line: string) => Uint8Array.from(Buffer.from(line, 'latin1'));
const byte = fc.integer({ min: 0, max: 255 });
const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const id = fc.integer({ min: 0, max: 253 });
const vector = fc.tuple(
  ...([0, 1, 2].map(() => fc.float({ min: -100, max: 100, noNaN: true, noDefaultInfinity: true })) as [
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
  ]),
);

export const codecs: Readonly<Record<string, Codec>> = {
  dynamixel: {
    framing: dynamixel.framing,
    // Parameters rich in headers, so that stuffing is at work.
    sample: fc
      .tuple(id, byte, fc.array(fc.oneof(byte, fc.constantFrom(0xff, 0xfd)), { maxLength: 60 }))
      .map(([servo, instruction, params]) => ({
        bytes: dynamixel.encode(servo, instruction, params),
        value: { id: servo, instruction, params: Uint8Array.from(params) },
      })),
    filler: 0,
  },
  feetech: {
    framing: feetech.framing,
    sample: fc.tuple(id, byte, bytes(40)).map(([servo, code, params]) => ({
      bytes: feetech.encode(servo, code, params),
      value: { id: servo, code, params },
    })),
    filler: 0,
  },
  slcan: {
    framing: slcan.framing,
    sample: fc
      .tuple(fc.integer({ min: 0, max: 0x7ff }), fc.boolean(), bytes(8))
      .map(([can, extended, data]) => {
        const frame = { id: can, extended, data };
        return { bytes: text(slcan.encodeFrame(frame)), value: { kind: 'frame', frame } };
      }),
    filler: 0x0d,
  },
  moteus: {
    framing: moteus.framing,
    sample: fc.tuple(fc.integer({ min: 1, max: 127 }), bytes(64)).map(([source, data]) => ({
      bytes: text(`rcv ${(source << 8).toString(16)} ${Buffer.from(data).toString('hex')} E B F\n`),
      value: { kind: 'received', source, destination: 0, data },
    })),
    filler: 0x0a,
  },
  odrive: {
    framing: odrive.framing,
    sample: fc
      .tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: -999, max: 999 }))
      .map(([axis, turns]) => ({
        bytes: text(odrive.position(axis, turns)),
        value: { text: `p ${axis} ${turns} 0 0`, checked: true },
      })),
    filler: 0x0a,
  },
  rvc: {
    framing: rvc.framing,
    sample: fc.tuple(byte, vector).map(([index, v]) => {
      const frame = {
        index,
        yaw_rad: v[0] / 100,
        pitch_rad: v[1] / 100,
        roll_rad: v[2] / 100,
        accel_m_s2: v,
      };
      const encoded = rvc.encode(frame);
      return { bytes: encoded, value: rvc.framing.read(encoded) };
    }),
    filler: 0,
  },
  witmotion: {
    framing: witmotion.framing,
    sample: fc
      .tuple(
        fc.constantFrom(...Object.values(witmotion.Kind)),
        fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 4, maxLength: 4 }),
      )
      .map(([kind, raw]) => {
        const encoded = witmotion.encode(kind, raw);
        return { bytes: encoded, value: witmotion.framing.read(encoded) };
      }),
    filler: 0,
  },
  xsens: {
    framing: xsens.framing,
    sample: fc.tuple(vector, vector).map(([gyro_rad_s, accel_m_s2]) => ({
      bytes: xsens.encode({ orientation: [1, 0, 0, 0], gyro_rad_s, accel_m_s2 }),
      value: { orientation: [1, 0, 0, 0], gyro_rad_s, accel_m_s2 },
    })),
    filler: 0,
  },
  microstrain: {
    framing: microstrain.framing,
    sample: fc.tuple(vector).map(([gyro_rad_s]) => ({
      bytes: microstrain.encode({ orientation: [1, 0, 0, 0], gyro_rad_s }),
      value: { orientation: [1, 0, 0, 0], gyro_rad_s },
    })),
    filler: 0,
  },
};
