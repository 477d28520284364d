import { Chain } from '../src/robot/kinematics.js';
import { feetOf, type RobotSpec } from '../src/robot/spec.js';

/** Height of the base above the floor at which the lowest foot touches it, for a level base; 0 without feet. */
export function standingHeight_m(spec: RobotSpec, q_rad: readonly number[]): number {
  const feet = feetOf(spec);
  const lowest = feet.map((foot) => {
    const leg = new Chain(foot, spec);
    leg.update(q_rad);
    return leg.tip_m[2] - foot.tip_radius_m;
  });
  return -Math.min(0, ...lowest);
}
