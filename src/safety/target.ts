import type { JointSpec } from '../robot/spec.js';

/**
 * Where a joint's target goes in one tick: towards what was asked, inside the position range, no
 * faster than `velocity_rad_s`, changing speed by no more than `acceleration_rad_s2`. The speed is
 * that of the time-optimal profile v = √(2 a d), so that the target can always come to rest at the
 * asked position, and the asked position is inside the range: the target keeps room to brake.
 * @param memory [target, target velocity] of the joint, updated in place
 */
export function moveTarget(
  joint: JointSpec,
  asked_rad: number,
  dt_s: number,
  memory: Float64Array,
  at: number,
): void {
  const [low, high] = joint.position_rad;
  const inside = Math.min(high, Math.max(low, asked_rad));
  const target = memory[at];
  const velocity = memory[at + 1];
  const distance = inside - target;
  const a = joint.acceleration_rad_s2;
  // √(2ad), less the half tick that the discrete braking lags behind the continuous profile.
  const braking = Math.sqrt(2 * a * Math.abs(distance) + (0.5 * a * dt_s) ** 2) - 0.5 * a * dt_s;
  const speed = Math.min(joint.velocity_rad_s, braking, Math.abs(distance) / dt_s);
  const wanted = distance < 0 ? -speed : speed;
  let next = Math.min(velocity + a * dt_s, Math.max(velocity - a * dt_s, wanted));
  let moved = target + next * dt_s;
  if (moved < low || moved > high) {
    moved = Math.min(high, Math.max(low, moved));
    next = (moved - target) / dt_s;
  }
  memory[at] = moved;
  memory[at + 1] = next;
}
