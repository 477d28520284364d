/** Quaternions are (w, x, y, z), body to world. Everything writes into arrays that the caller owns. */

type Numbers = ArrayLike<number>;

/** out = world vector of the body vector v. */
export function rotate(q: Numbers, v: Numbers, out: Float64Array): void {
  turn(q[0], q[1], q[2], q[3], v, out);
}

/** out = body vector of the world vector v. */
export function rotateInverse(q: Numbers, v: Numbers, out: Float64Array): void {
  turn(q[0], -q[1], -q[2], -q[3], v, out);
}

/** v + 2w (u × v) + 2u × (u × v), with (w, u) the quaternion. */
function turn(w: number, x: number, y: number, z: number, v: Numbers, out: Float64Array): void {
  const a = v[0];
  const b = v[1];
  const c = v[2];
  const tx = 2 * (y * c - z * b);
  const ty = 2 * (z * a - x * c);
  const tz = 2 * (x * b - y * a);
  out[0] = a + w * tx + y * tz - z * ty;
  out[1] = b + w * ty + z * tx - x * tz;
  out[2] = c + w * tz + x * ty - y * tx;
}

/** Angle of the body's forward axis about the world's vertical, rad. */
export function yaw_rad(q: Numbers): number {
  return Math.atan2(2 * (q[0] * q[3] + q[1] * q[2]), 1 - 2 * (q[2] * q[2] + q[3] * q[3]));
}

/** Cosine of the angle between the body's z axis and the vertical: 1 upright, −1 upside down. */
export function uprightness(q: Numbers): number {
  return 1 - 2 * (q[1] * q[1] + q[2] * q[2]);
}

/** The unit vector of gravity in the body frame: (0, 0, −1) when level. */
export function gravityInBody(q: Numbers, out: Float64Array | Float32Array, at = 0): void {
  out[at] = -2 * (q[1] * q[3] - q[0] * q[2]);
  out[at + 1] = -2 * (q[2] * q[3] + q[0] * q[1]);
  out[at + 2] = -uprightness(q);
}

/** out = a · b */
export function multiply(a: Numbers, b: Numbers, out: Float64Array): void {
  const aw = a[0];
  const ax = a[1];
  const ay = a[2];
  const az = a[3];
  const bw = b[0];
  const bx = b[1];
  const by = b[2];
  const bz = b[3];
  out[0] = aw * bw - ax * bx - ay * by - az * bz;
  out[1] = aw * bx + ax * bw + ay * bz - az * by;
  out[2] = aw * by - ax * bz + ay * bw + az * bx;
  out[3] = aw * bz + ax * by - ay * bx + az * bw;
}

/** Wraps to (−π, π]. */
export function wrapAngle_rad(a: number): number {
  return a - 2 * Math.PI * Math.round(a / (2 * Math.PI));
}
