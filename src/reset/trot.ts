import { Chain } from '../robot/kinematics.js';
import { dampedLeastSquares } from '../robot/leastSquares.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';

/** Of a whole step of a leg, s; and the share of it in which its foot stands. */
const STRIDE_S = 0.7;
const STANCE = 0.6;
/** Height of a step, as a share of that of the body. */
const LIFT = 0.2;
/** In which the gait grows to its full size, s. */
const GROWS_S = 0.5;
/** What drives and the ramp of targets are late by, beyond their own damping, s. */
const LAG_S = 0.02;
const IK = { iterations: 6, close_m: 1e-4, near: 1e-4, most: 0.02 } as const;

/** How the body is to move, in its own frame. */
export interface Twist {
  forward_m_s: number;
  left_m_s: number;
  turn_rad_s: number;
}

/**
 * An open-loop trot in any direction: feet of one diagonal stand and push the ground away under the body,
 * those of the other swing to where they will stand next (Raibert 1986, without its feedback). Targets
 * lead the joints by what their damping holds them back, kd/kp, since drives get no velocity of their own.
 */
export class Trot {
  private readonly feet: Chain[];
  private readonly standing_m: Float64Array[];
  private readonly offsets: number[];
  private readonly lead_s: number[];
  private readonly lift_m: number;
  private readonly pose_rad: Float64Array;
  private readonly before_rad: Float64Array;
  private readonly rates: Float64Array;
  private phase = 0;
  private elapsed_s = 0;

  constructor(private readonly spec: RobotSpec) {
    const home = spec.joints.map((j) => j.home_rad);
    this.feet = feetOf(spec).map((foot) => new Chain(foot, spec));
    this.standing_m = this.feet.map((foot) => {
      foot.update(home);
      return foot.tip_m.slice();
    });
    // Feet across from each other step together.
    this.offsets = this.standing_m.map(([x, y]) => (x * y > 0 ? 0 : 0.5));
    this.lift_m = LIFT * Math.max(...this.standing_m.map((foot) => -foot[2]));
    this.lead_s = spec.joints.map((j) => j.kd_nm_s_rad / j.kp_nm_rad + LAG_S);
    this.pose_rad = Float64Array.from(home);
    this.before_rad = Float64Array.from(home);
    this.rates = new Float64Array(Math.max(...this.feet.map((foot) => foot.joints.length)));
  }

  /** Starts from the home pose. */
  begin(): void {
    this.phase = 0;
    this.elapsed_s = 0;
    this.spec.joints.forEach((j, i) => {
      this.pose_rad[i] = j.home_rad;
    });
  }

  /** @param dt_s since the last call */
  next(twist: Twist, dt_s: number, targets_rad: Float64Array): void {
    const { pose_rad, before_rad, spec, lead_s } = this;
    this.phase = (this.phase + dt_s / STRIDE_S) % 1;
    this.elapsed_s += dt_s;
    before_rad.set(pose_rad);
    const size = Math.min(1, this.elapsed_s / GROWS_S);
    for (const [f, foot] of this.feet.entries()) this.bringFoot(foot, this.footPlace(f, twist, size));
    for (let j = 0; j < targets_rad.length; j++) {
      const [low, high] = spec.joints[j].position_rad;
      const ahead = pose_rad[j] + (lead_s[j] * (pose_rad[j] - before_rad[j])) / dt_s;
      targets_rad[j] = Math.min(high, Math.max(low, ahead));
    }
  }

  /** Where a foot belongs at this phase, in the frame of the body. */
  private footPlace(f: number, { forward_m_s, left_m_s, turn_rad_s }: Twist, size: number): number[] {
    const [x, y, z] = this.standing_m[f];
    const phase = (this.phase + this.offsets[f]) % 1;
    const swing = (phase - STANCE) / (1 - STANCE);
    // From 1/2 to −1/2 of the way while it stands, and smoothly back while it swings.
    const share = swing < 0 ? 0.5 - phase / STANCE : swing * swing * (3 - 2 * swing) - 0.5;
    const way_s = size * STANCE * STRIDE_S * share;
    const lifted_m = swing < 0 ? 0 : size * this.lift_m * Math.sin(Math.PI * swing);
    return [
      x + way_s * (forward_m_s - turn_rad_s * y),
      y + way_s * (left_m_s + turn_rad_s * x),
      z + lifted_m,
    ];
  }

  /** Bends a leg until its foot is there, by damped least squares from where it is. */
  private bringFoot(foot: Chain, place_m: readonly number[]): void {
    const { pose_rad, rates, spec } = this;
    const n = foot.joints.length;
    const jacobian = new Float64Array(3 * n);
    for (let i = 0; i < IK.iterations; i++) {
      foot.update(pose_rad);
      const error = place_m.map((x, k) => x - foot.tip_m[k]);
      if (Math.hypot(...error) < IK.close_m) return;
      for (let c = 0; c < n; c++)
        foot.column_m(c).forEach((x, row) => {
          jacobian[row * n + c] = x;
        });
      dampedLeastSquares(jacobian, 3, n, error, rates, IK.near, IK.most);
      for (let c = 0; c < n; c++) {
        const j = foot.joints[c];
        const [low, high] = spec.joints[j].position_rad;
        pose_rad[j] = Math.min(high, Math.max(low, pose_rad[j] + rates[c]));
      }
    }
  }
}
