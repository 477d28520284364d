import type { JointSpec } from '../robot/spec.js';
import { approachSpeed_rad_s } from './braking.js';

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
  const low = joint.position_rad[0];
  const high = joint.position_rad[1];
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
