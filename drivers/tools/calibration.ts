import { UserError } from '../../src/base/errors.js';
import type { JointDrive } from '../../src/robot/busSpec.js';
import type { JointSpec } from '../../src/robot/spec.js';
import { toJoint_rad } from '../bus/drive.js';

/** Positions of a drive's shaft, rad, with the joint at a known angle and at both ends of its way. */
export interface Recorded {
  readonly known_rad: number;
  readonly low_rad: number;
  readonly high_rad: number;
}

export interface CalibratedJoint {
  readonly joint: string;
  readonly id: number;
  readonly sign: 1 | -1;
  readonly offset_rad: number;
  /** Where the ends were found. */
  readonly measured_rad: readonly [number, number];
  /** The range that `robot.yaml` gets: no wider than it was, and inside the ends. */
  readonly position_rad: readonly [number, number];
}

/** Less is no way between two ends. */
export const LEAST_WAY_RAD = 0.1;
/** Targets stay off the ends by this. */
const MARGIN_RAD = 0.01;

/**
 * How a drive's turns map to a joint's, and how far the joint goes.
 * @param at_rad the joint's angle where `known_rad` was recorded
 * @throws UserError naming the joint where the ends do not fit to it
 */
export function calibratedJoint(
  joint: JointSpec,
  map: JointDrive,
  at_rad: number,
  { known_rad, low_rad, high_rad }: Recorded,
): CalibratedJoint {
  const sign = high_rad > low_rad ? 1 : -1;
  const offset_rad = digits(at_rad - (sign * known_rad) / map.gear_ratio);
  const own = { ...map, sign, offset_rad } as const;
  const measured = [low_rad, high_rad].map((q) => toJoint_rad(q, own));
  const low = Math.max(joint.position_rad[0], Math.ceil(1e3 * (measured[0] + MARGIN_RAD)) / 1e3);
  const high = Math.min(joint.position_rad[1], Math.floor(1e3 * (measured[1] - MARGIN_RAD)) / 1e3);
  if (!(at_rad > measured[0] && at_rad < measured[1] && low < high))
    throw new UserError(
      `${joint.name}: its ends are at ${measured.map((q) => q.toFixed(2)).join(' and ')} rad, but it was at ${at_rad} rad ` +
        `in the first pose and robot.yaml has ${joint.position_rad.join(' to ')} rad; was the pose right, and were the ends the right way round?`,
    );
  return {
    joint: joint.name,
    id: map.id,
    sign,
    offset_rad,
    measured_rad: [digits(measured[0]), digits(measured[1])],
    position_rad: [low, high],
  };
}

const digits = (x: number) => Number(x.toFixed(5));
