import type { JointDrive } from '../../src/robot/busSpec.js';
import { toDrive_rad, toJoint_rad } from './drive.js';

/** Counts of a magnetic encoder for a turn of the drive; the middle one is the drive's zero. */
export const COUNTS = 4096;
const MIDDLE = COUNTS / 2;
/** One count, rad. */
export const COUNT_RAD = (2 * Math.PI) / COUNTS;

/** Position of the joint for an encoder's count. */
export function ofCount_rad(count: number, map: JointDrive): number {
  return toJoint_rad((count - MIDDLE) * COUNT_RAD, map);
}

/** The nearest count, inside one turn of the encoder. */
export function toCount(position_rad: number, map: JointDrive): number {
  const count = Math.round(MIDDLE + toDrive_rad(position_rad, map) / COUNT_RAD);
  return Math.min(COUNTS - 1, Math.max(0, count));
}
