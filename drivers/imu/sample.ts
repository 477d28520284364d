/** What an IMU's frame says, as far as it says it. */
export interface ImuSample {
  /** Body to world, (w, x, y, z). */
  readonly orientation?: readonly [number, number, number, number];
  readonly gyro_rad_s?: readonly [number, number, number];
  readonly accel_m_s2?: readonly [number, number, number];
}

export const STANDARD_GRAVITY_M_S2 = 9.80665;
export const DEGREE_RAD = Math.PI / 180;

/** Yaw about z, then pitch about y, then roll about x. */
export function fromEuler(roll: number, pitch: number, yaw: number): [number, number, number, number] {
  const [cr, sr] = [Math.cos(roll / 2), Math.sin(roll / 2)];
  const [cp, sp] = [Math.cos(pitch / 2), Math.sin(pitch / 2)];
  const [cy, sy] = [Math.cos(yaw / 2), Math.sin(yaw / 2)];
  return [
    cr * cp * cy + sr * sp * sy,
    sr * cp * cy - cr * sp * sy,
    cr * sp * cy + sr * cp * sy,
    cr * cp * sy - sr * sp * cy,
  ];
}

/** Roll, pitch and yaw of a quaternion, as `fromEuler` takes them. */
export function toEuler([w, x, y, z]: readonly [number, number, number, number]): [number, number, number] {
  return [
    Math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
    Math.asin(Math.min(1, Math.max(-1, 2 * (w * y - z * x)))),
    Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
  ];
}

/** Clipped to what the wire holds. */
export function int16(value: number): number {
  return Math.min(32767, Math.max(-32768, Math.round(value)));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
