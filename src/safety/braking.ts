import type { JointSpec } from '../robot/spec.js';

/** Room to brake: how fast a joint or its target may go and still stop in time. */

/** The highest speed below a limit from which a target still comes to rest within a distance. */
export function approachSpeed_rad_s(
  joint: JointSpec,
  distance_rad: number,
  limit_rad_s: number,
  dt_s: number,
): number {
  const most = joint.acceleration_rad_s2 * dt_s;
  return Math.min(limit_rad_s, most * brakeableSteps(Math.abs(distance_rad) / (most * dt_s)));
}

/**
 * The speed v from which v + (v − 1) + (v − 2) + … down to the last positive term is the distance d:
 * the discrete counterpart of √(2 a d), in units of one tick's change of speed and one tick's way at
 * that speed. The continuous formula is too fast by up to an eighth of that way.
 */
function brakeableSteps(d: number): number {
  // Before v = k come k (k + 1) / 2; above it each of the k + 1 terms takes its share.
  const k = Math.floor((Math.sqrt(1 + 8 * d) - 1) / 2);
  return k / 2 + d / (k + 1);
}

/** How fast a joint may move towards a position limit and still stop before it at the braking deceleration. */
export function brakeableSpeed_rad_s(joint: JointSpec, room_rad: number): number {
  return Math.min(joint.velocity_rad_s, Math.sqrt(2 * joint.acceleration_rad_s2 * Math.max(0, room_rad)));
}

/** Where a target that brakes from now on comes to rest. */
export function restingPlace_rad(joint: JointSpec, target_rad: number, velocity_rad_s: number): number {
  return target_rad + (velocity_rad_s * Math.abs(velocity_rad_s)) / (2 * joint.acceleration_rad_s2);
}

/** One tick of braking. @param memory [target, target velocity] of the joint, updated in place */
export function brakeTarget(joint: JointSpec, dt_s: number, memory: Float64Array, at: number): void {
  const low = joint.position_rad[0];
  const high = joint.position_rad[1];
  const velocity = memory[at + 1];
  const most = joint.acceleration_rad_s2 * dt_s;
  const next = velocity > 0 ? Math.max(0, velocity - most) : Math.min(0, velocity + most);
  memory[at] = Math.min(high, Math.max(low, memory[at] + next * dt_s));
  memory[at + 1] = next;
}
