import type { Framing } from '../framing.js';
import { type ImuSample, STANDARD_GRAVITY_M_S2, viewOf } from './sample.js';

/**
 * MicroStrain MIP: `75 65 descriptor-set length`, fields of length, descriptor and big-endian floats,
 * two checksum bytes (Fletcher). Source: MicroStrain, "3DM data communications protocol"; the checksum
 * and descriptors are not checked against a device.
 */
const IMU_SET = 0x80;
const Field = { acceleration: 0x04, rate: 0x05, quaternion: 0x0a } as const;

function fletcher(b: Uint8Array, from: number, to: number): [number, number] {
  let [first, second] = [0, 0];
  for (let i = from; i < to; i++) {
    first = (first + b[i]) & 0xff;
    second = (second + first) & 0xff;
  }
  return [first, second];
}

export const framing: Framing<ImuSample> = {
  longest: 255 + 6,
  look(b, at, end) {
    if (b[at] !== 0x75) return -1;
    if (end - at < 2) return 0;
    if (b[at + 1] !== 0x65) return -1;
    if (end - at < 4) return 0;
    const length = b[at + 3] + 6;
    if (end - at < length) return 0;
    const [first, second] = fletcher(b, at, at + length - 2);
    return b[at + length - 2] === first && b[at + length - 1] === second ? length : -1;
  },
  read(frame) {
    const view = viewOf(frame);
    const sample: { -readonly [K in keyof ImuSample]: ImuSample[K] } = {};
    if (frame[2] !== IMU_SET) return sample;
    const end = frame.length - 2;
    for (let at = 4; at + 2 <= end; at += frame[at]) {
      const size = frame[at];
      if (size < 2 || at + size > end) break;
      const float = (i: number) => view.getFloat32(at + 2 + 4 * i);
      const kind = frame[at + 1];
      if (kind === Field.quaternion && size === 18)
        sample.orientation = [float(0), float(1), float(2), float(3)];
      if (kind === Field.rate && size === 14) sample.gyro_rad_s = [float(0), float(1), float(2)];
      if (kind === Field.acceleration && size === 14) {
        const [x, y, z] = [float(0), float(1), float(2)].map((g) => g * STANDARD_GRAVITY_M_S2);
        sample.accel_m_s2 = [x, y, z];
      }
    }
    return sample;
  },
};

export function encode({ orientation, accel_m_s2, gyro_rad_s }: ImuSample): Uint8Array {
  const body: number[] = [];
  const add = (kind: number, values: readonly number[] | undefined) => {
    if (!values) return;
    const view = new DataView(new ArrayBuffer(4 * values.length));
    values.forEach((x, i) => {
      view.setFloat32(4 * i, x);
    });
    body.push(2 + 4 * values.length, kind, ...new Uint8Array(view.buffer));
  };
  add(
    Field.acceleration,
    accel_m_s2?.map((a) => a / STANDARD_GRAVITY_M_S2),
  );
  add(Field.rate, gyro_rad_s);
  add(Field.quaternion, orientation);
  const frame = Uint8Array.from([0x75, 0x65, IMU_SET, body.length, ...body, 0, 0]);
  frame.set(fletcher(frame, 0, frame.length - 2), frame.length - 2);
  return frame;
}
