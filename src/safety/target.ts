import type { JointSpec } from '../robot/spec.js';

/**
 * Where a joint's target goes in one tick: towards what was asked, inside the position range, no
 * faster than `limit_rad_s`, changing speed by no more than `acceleration_rad_s2`. It is never
 * faster than it can brake from before the asked position, and the asked position is inside the
 * range: from rest it does not overshoot, and whatever is asked next it keeps room to brake.
 * @param limit_rad_s at most the joint's `velocity_rad_s`; a target that is faster brakes
 * @param memory [target, target velocity] of the joint, updated in place
 */
export function moveTarget(
  joint: JointSpec,
  asked_rad: number,
  limit_rad_s: number,
  dt_s: number,
  memory: Float64Array,
  at: number,
): void {
  const [low, high] = joint.position_rad;
  const inside = Math.min(high, Math.max(low, asked_rad));
  const target = memory[at];
  const velocity = memory[at + 1];
  const distance = inside - target;
  const most = joint.acceleration_rad_s2 * dt_s;
  const speed = approachSpeed_rad_s(joint, distance, limit_rad_s, dt_s);
  const wanted = distance < 0 ? -speed : speed;
  const next = Math.min(velocity + most, Math.max(velocity - most, wanted));
  const moved = target + next * dt_s;
  // Only rounding can put it outside.
  memory[at] = Math.min(high, Math.max(low, moved));
  memory[at + 1] = next;
}

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
