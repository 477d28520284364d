import { Chain } from './kinematics.js';
import { uprightness } from './rotation.js';
import { feetOf, type RobotSpec } from './spec.js';
import type { RobotState } from './state.js';

/** The body's z axis within this cosine of the vertical. */
const UPRIGHT = 0.9;
/** Share of the standing height that the body has over its feet. */
const HEIGHT_SHARE = 0.75;
/** A foot that carries more than this stands, N. */
const CARRIES_N = 5;

/** Whether a legged robot is on its feet, from its own sensors: where it stands, upright and on most of them. */
export class Stance {
  private readonly feet: Chain[];
  private readonly standing_m: number;
  private readonly loaded: number;
  /** Cosine of the tilt at which the robot counts as fallen. */
  private readonly notFallen: number;

  constructor(spec: RobotSpec) {
    this.feet = feetOf(spec).map((foot) => new Chain(foot, spec));
    this.standing_m = this.height_m(spec.joints.map((j) => j.home_rad));
    this.loaded = Math.ceil(this.feet.length / 2);
    this.notFallen = spec.fall ? Math.cos(spec.fall.tilt_rad) : UPRIGHT;
  }

  holds(state: RobotState): boolean {
    let loaded = 0;
    for (let f = 0; f < this.feet.length; f++) if (state.footForce_n[f] > CARRIES_N) loaded++;
    return loaded >= this.loaded && uprightness(state.orientation) >= UPRIGHT && this.isHigh(state);
  }

  /** As far up as a stride leaves it: high enough over its feet, wherever those are, and tilted less than a fall is. */
  isUp(state: RobotState): boolean {
    return uprightness(state.orientation) >= this.notFallen && this.isHigh(state);
  }

  private isHigh({ position_rad }: RobotState): boolean {
    return this.height_m(position_rad) > HEIGHT_SHARE * this.standing_m;
  }

  /** Mean height of the body over its feet, along its own z axis. */
  height_m(q_rad: ArrayLike<number>): number {
    let sum = 0;
    for (const foot of this.feet) {
      foot.update(q_rad);
      sum -= foot.tip_m[2];
    }
    return sum / this.feet.length;
  }
}
