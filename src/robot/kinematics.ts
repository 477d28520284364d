import type { ChainSpec, RobotSpec } from './spec.js';

/**
 * Forward kinematics of one serial chain of revolute joints: the tip's position and velocity in the
 * base frame. Allocates nothing per call; the result lies in `tip_m` and `tipVelocity_m_s`.
 */
export class Chain {
  readonly name: string;
  readonly tip_m = new Float64Array(3);
  /** Relative to the base. */
  readonly tipVelocity_m_s = new Float64Array(3);
  /** Of the last link, relative to the base. */
  readonly tipSpin_rad_s = new Float64Array(3);
  /** Index of each link's joint in the robot's joint order, from the base outwards. */
  readonly joints: Int32Array;
  private readonly offset: Float64Array;
  private readonly axis: Float64Array;
  private readonly end: Float64Array;
  /** Orientation of the tip relative to the base, row by row, as `update` left it. */
  readonly rotation = new Float64Array(9);
  /** Where each joint is, and the unit vector of its axis, in the base frame. */
  readonly anchors: Float64Array;
  readonly axes: Float64Array;
  private readonly scratch = new Float64Array(9);

  constructor(chain: ChainSpec, spec: RobotSpec) {
    this.name = chain.name;
    this.joints = Int32Array.from(chain.links, (l) => spec.joints.findIndex((j) => j.name === l.joint));
    this.offset = Float64Array.from(chain.links.flatMap((l) => l.offset_m));
    this.axis = Float64Array.from(chain.links.flatMap((l) => l.axis));
    this.end = Float64Array.from(chain.tip_m);
    this.anchors = new Float64Array(3 * chain.links.length);
    this.axes = new Float64Array(3 * chain.links.length);
  }

  /** Copies the place of the chain's i-th joint, as `update` left it. */
  copyJoint(i: number, out: Float64Array, at: number): void {
    for (let k = 0; k < 3; k++) out[at + k] = this.anchors[3 * i + k];
  }

  /** Distance of the tip from the axis of the chain's i-th joint, as `update` left it: tip speed per joint speed. */
  lever_m(i: number): number {
    const { axes, anchors, tip_m: p } = this;
    const o = 3 * i;
    const rx = p[0] - anchors[o];
    const ry = p[1] - anchors[o + 1];
    const rz = p[2] - anchors[o + 2];
    const x = axes[o + 1] * rz - axes[o + 2] * ry;
    const y = axes[o + 2] * rx - axes[o] * rz;
    const z = axes[o] * ry - axes[o + 1] * rx;
    return Math.sqrt(x * x + y * y + z * z);
  }

  /** @param q joint positions of the whole robot, rad; @param dq joint velocities, rad/s, or nothing where only the position is wanted */
  update(q: ArrayLike<number>, dq?: ArrayLike<number>): void {
    const {
      rotation: R,
      offset,
      axis,
      anchors,
      axes,
      tip_m: p,
      tipVelocity_m_s: v,
      tipSpin_rad_s: spin,
    } = this;
    R.fill(0);
    R[0] = R[4] = R[8] = 1;
    p.fill(0);
    for (let i = 0; i < this.joints.length; i++) {
      const o = 3 * i;
      advance(p, R, offset[o], offset[o + 1], offset[o + 2]);
      anchors[o] = p[0];
      anchors[o + 1] = p[1];
      anchors[o + 2] = p[2];
      const ax = axis[o];
      const ay = axis[o + 1];
      const az = axis[o + 2];
      axes[o] = R[0] * ax + R[1] * ay + R[2] * az;
      axes[o + 1] = R[3] * ax + R[4] * ay + R[5] * az;
      axes[o + 2] = R[6] * ax + R[7] * ay + R[8] * az;
      rotateAbout(R, this.scratch, ax, ay, az, q[this.joints[i]]);
    }
    advance(p, R, this.end[0], this.end[1], this.end[2]);
    if (!dq) return;
    v.fill(0);
    spin.fill(0);
    for (let i = 0; i < this.joints.length; i++) {
      const o = 3 * i;
      const rate = dq[this.joints[i]];
      const rx = p[0] - anchors[o];
      const ry = p[1] - anchors[o + 1];
      const rz = p[2] - anchors[o + 2];
      spin[0] += rate * axes[o];
      spin[1] += rate * axes[o + 1];
      spin[2] += rate * axes[o + 2];
      v[0] += rate * (axes[o + 1] * rz - axes[o + 2] * ry);
      v[1] += rate * (axes[o + 2] * rx - axes[o] * rz);
      v[2] += rate * (axes[o] * ry - axes[o + 1] * rx);
    }
  }

  /** How the tip moves for each rad of a joint, after `update`: a column of the Jacobian. @param i from the base outwards */
  column_m(i: number): number[] {
    const o = 3 * i;
    const { axes, anchors, tip_m: p } = this;
    const [rx, ry, rz] = [p[0] - anchors[o], p[1] - anchors[o + 1], p[2] - anchors[o + 2]];
    return [
      axes[o + 1] * rz - axes[o + 2] * ry,
      axes[o + 2] * rx - axes[o] * rz,
      axes[o] * ry - axes[o + 1] * rx,
    ];
  }
}

/**
 * Force on the tip of a chain of three joints that holds its drives' torques in balance,
 * F = −J⁻ᵀ τ, in the base frame; the chain's own weight and inertia are left out. Call `update` first.
 * @param torque_nm of the drives, for the whole robot
 * @returns false, with nothing written, where the chain is stretched out or has not three joints
 */
export function tipForce_n(chain: Chain, torque_nm: ArrayLike<number>, out: Float64Array): boolean {
  if (chain.joints.length !== 3) return false;
  const [a, b, c] = [0, 1, 2].map((i) => chain.column_m(i));
  // Rows of Jᵀ are J's columns: Jᵀ F = −τ, by Cramer's rule.
  const bc = cross(b, c);
  const determinant = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2];
  if (Math.abs(determinant) < SINGULAR_M3) return false;
  const ca = cross(c, a);
  const ab = cross(a, b);
  const [ta, tb, tc] = [0, 1, 2].map((i) => torque_nm[chain.joints[i]]);
  for (let k = 0; k < 3; k++) out[k] = -(ta * bc[k] + tb * ca[k] + tc * ab[k]) / determinant;
  return true;
}

/** A leg of 0.2 m links that is bent at all has a hundred times this. */
const SINGULAR_M3 = 1e-5;

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** p += R · (x, y, z) */
function advance(p: Float64Array, R: Float64Array, x: number, y: number, z: number): void {
  p[0] += R[0] * x + R[1] * y + R[2] * z;
  p[1] += R[3] * x + R[4] * y + R[5] * z;
  p[2] += R[6] * x + R[7] * y + R[8] * z;
}

/** R ← R · rotation by `angle` about the unit axis (Rodrigues). */
function rotateAbout(R: Float64Array, t: Float64Array, x: number, y: number, z: number, angle: number): void {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const k = 1 - c;
  const m0 = c + x * x * k;
  const m1 = x * y * k - z * s;
  const m2 = x * z * k + y * s;
  const m3 = y * x * k + z * s;
  const m4 = c + y * y * k;
  const m5 = y * z * k - x * s;
  const m6 = z * x * k - y * s;
  const m7 = z * y * k + x * s;
  const m8 = c + z * z * k;
  t.set(R);
  for (let r = 0; r < 9; r += 3) {
    const a = t[r];
    const b = t[r + 1];
    const d = t[r + 2];
    R[r] = a * m0 + b * m3 + d * m6;
    R[r + 1] = a * m1 + b * m4 + d * m7;
    R[r + 2] = a * m2 + b * m5 + d * m8;
  }
}

/**
 * Velocity, relative to the body's origin and in the body frame, of the point where a foot touches
 * the ground: the lowest of a ball of radius r about the tip. A foot that rolls without slipping
 * rests there, while its centre moves.
 * @param gyro_rad_s of the body; @param down unit vector of gravity in the body frame
 */
export function contactVelocity(
  foot: Chain,
  radius_m: number,
  gyro_rad_s: ArrayLike<number>,
  down: ArrayLike<number>,
  out: Float64Array,
): void {
  const { tip_m: p, tipVelocity_m_s: u, tipSpin_rad_s: s } = foot;
  const wx = gyro_rad_s[0];
  const wy = gyro_rad_s[1];
  const wz = gyro_rad_s[2];
  const rx = radius_m * down[0];
  const ry = radius_m * down[1];
  const rz = radius_m * down[2];
  const sx = s[0] + wx;
  const sy = s[1] + wy;
  const sz = s[2] + wz;
  out[0] = u[0] + wy * p[2] - wz * p[1] + sy * rz - sz * ry;
  out[1] = u[1] + wz * p[0] - wx * p[2] + sz * rx - sx * rz;
  out[2] = u[2] + wx * p[1] - wy * p[0] + sx * ry - sy * rx;
}
