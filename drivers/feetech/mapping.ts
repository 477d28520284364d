import type { JointDrive } from '../../src/robot/spec.js';
import { COUNT_RAD, COUNTS } from './registers.js';

const MIDDLE = COUNTS / 2;

/** Joint position, rad, of an encoder count. */
export function toJoint_rad(count: number, { sign, offset_rad, gear_ratio }: JointDrive): number {
  return (sign * (count - MIDDLE) * COUNT_RAD) / gear_ratio + offset_rad;
}

/** The nearest count, inside one turn of the encoder. */
export function toCount(position_rad: number, { sign, offset_rad, gear_ratio }: JointDrive): number {
  const count = Math.round(MIDDLE + (sign * (position_rad - offset_rad) * gear_ratio) / COUNT_RAD);
  return Math.min(COUNTS - 1, Math.max(0, count));
}
