import { type Framing, sum8 } from '../framing.js';
import { DEGREE_RAD, fromEuler, type ImuSample, int16, STANDARD_GRAVITY_M_S2, viewOf } from './sample.js';

/**
 * BNO085 in UART-RVC mode, 115200 baud, 100 Hz: `AA AA index`, yaw, pitch, roll in 0.01°, acceleration
 * in mg, three bytes reserved, sum. Source: CEVA, "BNO08X data sheet", UART-RVC. It has no gyro.
 */
export interface RvcFrame extends ImuSample {
  readonly index: number;
  readonly yaw_rad: number;
  readonly pitch_rad: number;
  readonly roll_rad: number;
}
const LENGTH = 19;

export const framing: Framing<RvcFrame> = {
  longest: LENGTH,
  look(b, at, end) {
    if (b[at] !== 0xaa) return -1;
    if (end - at < 2) return 0;
    if (b[at + 1] !== 0xaa) return -1;
    if (end - at < LENGTH) return 0;
    return sum8(b, at + 2, at + LENGTH - 1) === b[at + LENGTH - 1] ? LENGTH : -1;
  },
  read(frame) {
    const view = viewOf(frame);
    const angle = (at: number) => view.getInt16(at, true) * 0.01 * DEGREE_RAD;
    const accel = (at: number) => view.getInt16(at, true) * 1e-3 * STANDARD_GRAVITY_M_S2;
    const [yaw_rad, pitch_rad, roll_rad] = [angle(3), angle(5), angle(7)];
    return {
      index: frame[2],
      yaw_rad,
      pitch_rad,
      roll_rad,
      orientation: fromEuler(roll_rad, pitch_rad, yaw_rad),
      accel_m_s2: [accel(9), accel(11), accel(13)],
    };
  },
};

export function encode(
  frame: Pick<RvcFrame, 'index' | 'yaw_rad' | 'pitch_rad' | 'roll_rad'> & { accel_m_s2: readonly number[] },
): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  const view = viewOf(bytes);
  bytes.set([0xaa, 0xaa, frame.index]);
  [frame.yaw_rad, frame.pitch_rad, frame.roll_rad].forEach((a, i) => {
    view.setInt16(3 + 2 * i, int16(a / DEGREE_RAD / 0.01), true);
  });
  frame.accel_m_s2.forEach((a, i) => {
    view.setInt16(9 + 2 * i, int16((a / STANDARD_GRAVITY_M_S2) * 1e3), true);
  });
  bytes[LENGTH - 1] = sum8(bytes, 2, LENGTH - 1);
  return bytes;
}
