import type { JointSpec } from '../robot/spec.js';
import { brakeableSpeed_rad_s } from './braking.js';

/** The torque that a drive's own PD loop makes of a position target. */
export function driveTorque_nm(
  joint: JointSpec,
  target_rad: number,
  q_rad: number,
  dq_rad_s: number,
): number {
  return joint.kp_nm_rad * (target_rad - q_rad) - joint.kd_nm_s_rad * dq_rad_s;
}

/** The target, inside the position range, of which the drive's PD loop makes a torque, or comes closest. */
export function targetForTorque_rad(
  joint: JointSpec,
  torque_nm: number,
  q_rad: number,
  dq_rad_s: number,
): number {
  const low = joint.position_rad[0];
  const high = joint.position_rad[1];
  const target = q_rad + (torque_nm + joint.kd_nm_s_rad * dq_rad_s) / joint.kp_nm_rad;
  return Math.min(high, Math.max(low, target));
}

/** Width of the band below a speed limit in which driving torque fades from full to none, as a fraction of the limit. */
const FADE = 0.2;

/**
 * Moves a position target so that the drive's PD loop stays inside the torque limit, and does not
 * drive a joint further towards a speed that it may not have: its limit, or what it could not brake
 * before its position limit. A target is the one thing that every servo takes, so that is where the
 * limit acts; the drive's own current limit is the second line.
 * @param limit_nm at most the joint's `torque_nm`
 * @returns the target that the drive is given, inside the position range
 */
export function limitTorque(
  joint: JointSpec,
  limit_nm: number,
  target_rad: number,
  q_rad: number,
  dq_rad_s: number,
): number {
  const low = joint.position_rad[0];
  const high = joint.position_rad[1];
  const up = brakeableSpeed_rad_s(joint, high - q_rad);
  const down = brakeableSpeed_rad_s(joint, q_rad - low);
  const band = FADE * joint.velocity_rad_s;
  const most = limit_nm * Math.min(1, Math.max(-1, (up - dq_rad_s) / band));
  const least = -limit_nm * Math.min(1, Math.max(-1, (down + dq_rad_s) / band));
  const torque = driveTorque_nm(joint, target_rad, q_rad, dq_rad_s);
  if (torque >= least && torque <= most) return target_rad;
  const allowed = Math.min(Math.max(most, least), Math.max(Math.min(most, least), torque));
  return targetForTorque_rad(joint, allowed, q_rad, dq_rad_s);
}

/** A target that was moved to the very limit meets it to within this share. */
const ROUNDING = 1e-9;

/**
 * The damping that the drive is given with a target: the joint's own, less where the target could not
 * be moved far enough inside the position range and damping alone would ask for more than the torque
 * limit.
 * @param target_rad as `limitTorque` returned it
 */
export function limitDamping(
  joint: JointSpec,
  limit_nm: number,
  target_rad: number,
  q_rad: number,
  dq_rad_s: number,
): number {
  const torque = driveTorque_nm(joint, target_rad, q_rad, dq_rad_s);
  if (Math.abs(torque) <= limit_nm * (1 + ROUNDING)) return joint.kd_nm_s_rad;
  const spring = joint.kp_nm_rad * (target_rad - q_rad);
  const damping = (spring - Math.sign(torque) * limit_nm) / dq_rad_s;
  return Math.min(joint.kd_nm_s_rad, Math.max(0, damping));
}
