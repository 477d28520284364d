import { type Framing, sum8 } from '../framing.js';
import { type ImuSample, viewOf } from './sample.js';

/**
 * Xsens MTi, MTData2: `FA FF 36 length`, items of id (2 bytes), size and big-endian floats, and a byte
 * that brings the sum of all after FA to 0. Source: Xsens, "MT low level communication protocol"; the
 * ids of acceleration and rate are not checked against a device.
 */
const DataId = { quaternion: 0x2010, acceleration: 0x4020, rate: 0x8020 } as const;

export const framing: Framing<ImuSample> = {
  longest: 254 + 5,
  look(b, at, end) {
    const header = [0xfa, 0xff, 0x36];
    for (let i = 0; i < 3; i++) {
      if (at + i >= end) return 0;
      if (b[at + i] !== header[i]) return -1;
    }
    if (end - at < 4) return 0;
    if (b[at + 3] > 254) return -1;
    const length = b[at + 3] + 5;
    if (end - at < length) return 0;
    return sum8(b, at + 1, at + length) === 0 ? length : -1;
  },
  read(frame) {
    const view = viewOf(frame);
    const sample: { -readonly [K in keyof ImuSample]: ImuSample[K] } = {};
    for (let at = 4; at + 3 <= frame.length - 1; at += 3 + frame[at + 2]) {
      const id = view.getUint16(at);
      const size = frame[at + 2];
      if (at + 3 + size > frame.length - 1) break;
      const float = (i: number) => view.getFloat32(at + 3 + 4 * i);
      if (id === DataId.quaternion && size === 16)
        sample.orientation = [float(0), float(1), float(2), float(3)];
      if (id === DataId.acceleration && size === 12) sample.accel_m_s2 = [float(0), float(1), float(2)];
      if (id === DataId.rate && size === 12) sample.gyro_rad_s = [float(0), float(1), float(2)];
    }
    return sample;
  },
};

export function encode({ orientation, accel_m_s2, gyro_rad_s }: ImuSample): Uint8Array {
  const body: number[] = [];
  const add = (id: number, values: readonly number[] | undefined) => {
    if (!values) return;
    const view = new DataView(new ArrayBuffer(4 * values.length));
    values.forEach((x, i) => {
      view.setFloat32(4 * i, x);
    });
    body.push(id >> 8, id & 0xff, 4 * values.length, ...new Uint8Array(view.buffer));
  };
  add(DataId.quaternion, orientation);
  add(DataId.acceleration, accel_m_s2);
  add(DataId.rate, gyro_rad_s);
  const frame = Uint8Array.from([0xfa, 0xff, 0x36, body.length, ...body, 0]);
  frame[frame.length - 1] = -sum8(frame, 1, frame.length - 1);
  return frame;
}
