import type { RobotSpec } from '../robot/spec.js';

/**
 * How far the robot is outside its fence, m: 0 inside, without a fence, and where nobody knows its place.
 * @param place_m [x, y, …] from where it was started
 */
export function outsideFence_m(spec: RobotSpec, place_m: ArrayLike<number>): number {
  if (!spec.geofence) return 0;
  const half = spec.geofence.side_m / 2;
  const outside = Math.max(Math.abs(place_m[0]), Math.abs(place_m[1])) - half;
  return outside > 0 ? outside : 0;
}
