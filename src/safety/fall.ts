import { uprightness } from '../robot/rotation.js';
import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';

/** Angle between the body's z axis and the vertical, rad. */
export function tilt_rad(state: RobotState): number {
  return Math.acos(Math.max(-1, Math.min(1, uprightness(state.orientation))));
}

/** Whether the robot has tipped further than it can come back from. Never for a fixed base. */
export function hasFallen(spec: RobotSpec, state: RobotState): boolean {
  return spec.fall !== undefined && tilt_rad(state) > spec.fall.tilt_rad;
}
