import { type Framing, sum8 } from '../framing.js';
import { DEGREE_RAD, fromEuler, type ImuSample, STANDARD_GRAVITY_M_S2, viewOf } from './sample.js';

/**
 * WitMotion's standard protocol: frames of 11 bytes, `55 kind`, four int16, sum. Source: WitMotion,
 * "Standard communication protocol".
 */
export const Kind = { acceleration: 0x51, rate: 0x52, angle: 0x53, quaternion: 0x59 } as const;
export interface WitFrame extends ImuSample {
  readonly kind: number;
  readonly raw: readonly [number, number, number, number];
}
const LENGTH = 11;

export const framing: Framing<WitFrame> = {
  longest: LENGTH,
  look(b, at, end) {
    if (b[at] !== 0x55) return -1;
    if (end - at < 2) return 0;
    if (b[at + 1] < 0x50 || b[at + 1] > 0x5f) return -1;
    if (end - at < LENGTH) return 0;
    return sum8(b, at, at + LENGTH - 1) === b[at + LENGTH - 1] ? LENGTH : -1;
  },
  read(frame) {
    const view = viewOf(frame);
    const kind = frame[1];
    const raw = [2, 4, 6, 8].map((at) => view.getInt16(at, true)) as [number, number, number, number];
    const scaled = (most: number) =>
      raw.slice(0, 3).map((x) => (x * most) / 32768) as [number, number, number];
    if (kind === Kind.acceleration) return { kind, raw, accel_m_s2: scaled(16 * STANDARD_GRAVITY_M_S2) };
    if (kind === Kind.rate) return { kind, raw, gyro_rad_s: scaled(2000 * DEGREE_RAD) };
    if (kind === Kind.angle) return { kind, raw, orientation: fromEuler(...scaled(Math.PI)) };
    if (kind === Kind.quaternion)
      return { kind, raw, orientation: raw.map((x) => x / 32768) as [number, number, number, number] };
    return { kind, raw };
  },
};

export function encode(kind: number, raw: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  bytes.set([0x55, kind]);
  raw.forEach((x, i) => {
    viewOf(bytes).setInt16(2 + 2 * i, x, true);
  });
  bytes[LENGTH - 1] = sum8(bytes, 0, LENGTH - 1);
  return bytes;
}
