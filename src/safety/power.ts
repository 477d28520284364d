import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import { driveTorque_nm, targetForTorque_rad } from './torque.js';

/** Mechanical power that the drives would put into the joints with these targets, W; braking counts as none. */
export function drivingPower_w(spec: RobotSpec, targets_rad: ArrayLike<number>, state: RobotState): number {
  let power = 0;
  for (let j = 0; j < spec.joints.length; j++) {
    const dq = state.velocity_rad_s[j];
    power += Math.max(0, driveTorque_nm(spec.joints[j], targets_rad[j], state.position_rad[j], dq) * dq);
  }
  return power;
}

/**
 * Keeps the robot inside `power_w`: the torque of every joint that drives is lowered by the same share.
 * @param targets_rad changed in place
 * @returns the power that was asked for
 */
export function limitPower(spec: RobotSpec, targets_rad: Float64Array, state: RobotState): number {
  const asked = drivingPower_w(spec, targets_rad, state);
  if (!(asked > spec.power_w)) return asked;
  const share = spec.power_w / asked;
  for (let j = 0; j < spec.joints.length; j++) {
    const q = state.position_rad[j];
    const dq = state.velocity_rad_s[j];
    const torque = driveTorque_nm(spec.joints[j], targets_rad[j], q, dq);
    if (torque * dq > 0) targets_rad[j] = targetForTorque_rad(spec.joints[j], share * torque, q, dq);
  }
  return asked;
}
