import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';

/** A joint that reports this share of its limit and hardly moves pushes against something. */
const LOADED = 0.9;
/** It counts as standing still below this share of its speed limit. */
const STILL = 0.02;
/** Speeds and torques are smoothed over about this long, s: noise is no motion, and a dip no letting go. */
const SMOOTHED_S = 0.04;
/** It is let go of once it reports less than this share. */
const FREE = 0.3;

/**
 * Limits what a joint does to what it has run into: one that has pushed with nearly all it has for
 * `contact.seconds` without moving is left `contact.torque_share` of its torque, until it is free.
 */
export class Contact {
  /** Share of each joint's torque limit. */
  readonly share: Float64Array;
  private readonly loaded_s: Float64Array;
  private readonly speed_rad_s: Float64Array;
  private readonly pushing_nm: Float64Array;
  private readonly dt_s: number;

  constructor(private readonly spec: RobotSpec) {
    this.share = new Float64Array(spec.joints.length).fill(1);
    this.loaded_s = new Float64Array(spec.joints.length);
    this.speed_rad_s = new Float64Array(spec.joints.length);
    this.pushing_nm = new Float64Array(spec.joints.length);
    this.dt_s = 1 / spec.rates.control_hz;
  }

  /** One tick. */
  update(state: RobotState): void {
    const { spec, share, loaded_s, speed_rad_s, pushing_nm } = this;
    const weight = Math.min(1, this.dt_s / SMOOTHED_S);
    for (let j = 0; j < share.length; j++) {
      const { torque_nm, velocity_rad_s } = spec.joints[j];
      pushing_nm[j] += weight * (state.torque_nm[j] - pushing_nm[j]);
      const torque = Math.max(Math.abs(state.torque_nm[j]), Math.abs(pushing_nm[j])) / torque_nm;
      speed_rad_s[j] += weight * (state.velocity_rad_s[j] - speed_rad_s[j]);
      const still = Math.abs(speed_rad_s[j]) < STILL * velocity_rad_s;
      loaded_s[j] = still && torque > LOADED ? loaded_s[j] + this.dt_s : 0;
      if (loaded_s[j] > spec.contact.seconds) share[j] = spec.contact.torque_share;
      else if (torque < FREE || !still) share[j] = 1;
    }
  }
}
