import type { RobotSpec } from '../../robot/spec.js';
import { secondsOf } from '../time.js';
import type { JointTrajectory } from '../types.js';

/** Joint targets over time, in `robot.yaml` order; between points they move in straight lines. */
export interface Trajectory {
  readonly times_s: readonly number[];
  readonly points_rad: readonly Float64Array[];
}

/**
 * Checks a trajectory against the robot: its joints are named in full and in order, since a message
 * made for another robot must not move this one.
 * @returns the trajectory, or why it is refused
 */
export function trajectoryOf(spec: RobotSpec, message: JointTrajectory): Trajectory | string {
  const names = spec.joints.map((joint) => joint.name);
  const { joint_names: given, points } = message;
  const unknown = given.filter((name) => !names.includes(name));
  if (unknown.length > 0) return `no joint ${unknown.join(', ')}; joints are ${names.join(', ')}`;
  if (given.length !== names.length)
    return `${given.length} joints where there are ${names.length}: ${names.join(', ')}`;
  if (given.some((name, j) => name !== names[j]))
    return `joints in the order ${given.join(', ')}; expected ${names.join(', ')}`;
  if (points.length === 0) return 'no points';
  let before = Number.NEGATIVE_INFINITY;
  for (const [i, { positions, time_from_start }] of points.entries()) {
    if (positions.length !== names.length)
      return `point ${i} has ${positions.length} positions for ${names.length} joints`;
    const bad = names.find((_, j) => !Number.isFinite(positions[j]));
    if (bad) return `point ${i}: the position of ${bad} is no number`;
    const time_s = secondsOf(time_from_start);
    if (time_s < 0 || time_s <= before) return `point ${i} comes at ${time_s} s, not after the one before`;
    before = time_s;
  }
  return {
    times_s: points.map((point) => secondsOf(point.time_from_start)),
    points_rad: points.map((point) => Float64Array.from(point.positions)),
  };
}

/**
 * Where a trajectory is at a time.
 * @param from_rad where the joints are told to be when it begins
 * @returns whether it is over
 */
export function sample(
  { times_s, points_rad }: Trajectory,
  from_rad: Float64Array,
  time_s: number,
  into_rad: Float64Array,
): boolean {
  const next = times_s.findIndex((t) => t > time_s);
  if (next < 0) {
    into_rad.set(points_rad[points_rad.length - 1]);
    return true;
  }
  const a = next === 0 ? from_rad : points_rad[next - 1];
  const begin_s = next === 0 ? 0 : times_s[next - 1];
  const share = (time_s - begin_s) / (times_s[next] - begin_s);
  for (let j = 0; j < into_rad.length; j++) into_rad[j] = a[j] + share * (points_rad[next][j] - a[j]);
  return false;
}
