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

/** Whether a legged robot is on its feet, from its own sensors: upright, high enough over them, most of them loaded. */
export class Stance {
  private readonly feet: Chain[];
  private readonly standing_m: number;
  private readonly loaded: number;

  constructor(spec: RobotSpec) {
    this.feet = feetOf(spec).map((foot) => new Chain(foot, spec));
    this.standing_m = this.height_m(spec.joints.map((j) => j.home_rad));
    this.loaded = Math.ceil(this.feet.length / 2);
  }

  holds(state: RobotState): boolean {
    let loaded = 0;
    for (let f = 0; f < this.feet.length; f++) if (state.footForce_n[f] > CARRIES_N) loaded++;
    return loaded >= this.loaded && this.isUp(state);
  }

  /** Upright and high enough over its feet, wherever those are in a stride. */
  isUp(state: RobotState): boolean {
    return (
      uprightness(state.orientation) >= UPRIGHT &&
      this.height_m(state.position_rad) > HEIGHT_SHARE * this.standing_m
    );
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
