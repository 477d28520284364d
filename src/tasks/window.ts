import { Chain, contactVelocity } from '../robot/kinematics.js';
import { gravityInBody, rotate } from '../robot/rotation.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';
import type { BodyMotion, RobotState } from '../robot/state.js';
import type { Moment } from './task.js';

/** A foot lands when it carries more than this, and has left the ground when it carries less than the other, N. */
const LANDED_N = 10;
const LIFTED_N = 2;

/**
 * Gathers what a task is paid for over one policy period, tick by tick: the same on a robot and in
 * simulation, where only `motion` differs. It is the `Moment` of the period once the last tick is in.
 */
export class StepWindow implements Moment {
  readonly moved_m = new Float64Array(3);
  power_w = 0;
  slip_m_s = 0;
  touchdowns = 0;
  private readonly feet: Chain[];
  private readonly radius_m: number[];
  private readonly down = new Float64Array(3);
  private readonly loaded: Uint8Array;
  private readonly start_m = new Float64Array(3);
  private readonly world = new Float64Array(3);
  private readonly body = new Float64Array(3);
  private ticks = 0;
  private energy = 0;
  private slipSum = 0;
  private slipSamples = 0;

  constructor(
    private readonly spec: RobotSpec,
    readonly state: RobotState,
    readonly estimate: BodyMotion,
    readonly motion: BodyMotion,
    readonly executed_rad: Float64Array,
  ) {
    this.feet = feetOf(spec).map((chain) => new Chain(chain, spec));
    this.radius_m = feetOf(spec).map((foot) => foot.tip_radius_m);
    this.loaded = new Uint8Array(this.feet.length);
  }

  /** Starts an episode: whatever stood before it is forgotten. */
  reset(): void {
    this.loaded.fill(0);
    this.begin();
  }

  /** Starts a period. */
  begin(): void {
    this.start_m.set(this.motion.position_m);
    this.moved_m.fill(0);
    this.ticks = 0;
    this.energy = 0;
    this.slipSum = 0;
    this.slipSamples = 0;
    this.touchdowns = 0;
    this.power_w = 0;
    this.slip_m_s = 0;
  }

  /** Takes in one control tick, after `state`, `estimate` and `motion` were brought up to date. */
  tick(): void {
    const { state, motion } = this;
    this.ticks++;
    for (let j = 0; j < this.spec.joints.length; j++)
      this.energy += Math.abs(state.torque_nm[j] * state.velocity_rad_s[j]);
    for (let f = 0; f < this.feet.length; f++) {
      const carries = state.footForce_n[f] > (this.loaded[f] ? LIFTED_N : LANDED_N);
      if (carries && !this.loaded[f]) this.touchdowns++;
      this.loaded[f] = carries ? 1 : 0;
      if (!carries) continue;
      this.slipSum += this.footSpeed_m_s(f);
      this.slipSamples++;
    }
    this.power_w = this.energy / this.ticks;
    this.slip_m_s = this.slipSamples > 0 ? this.slipSum / this.slipSamples : 0;
    for (let k = 0; k < 3; k++) this.moved_m[k] = motion.position_m[k] - this.start_m[k];
  }

  /** Horizontal speed over the ground of the point where a foot touches it. */
  private footSpeed_m_s(f: number): number {
    const { body, world, state, motion } = this;
    const foot = this.feet[f];
    foot.update(state.position_rad, state.velocity_rad_s);
    gravityInBody(state.orientation, this.down);
    contactVelocity(foot, this.radius_m[f], state.gyro_rad_s, this.down, body);
    rotate(state.orientation, body, world);
    const x = motion.velocity_m_s[0] + world[0];
    const y = motion.velocity_m_s[1] + world[1];
    return Math.sqrt(x * x + y * y);
  }
}
