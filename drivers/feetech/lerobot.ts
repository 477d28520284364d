import { z } from 'zod';
import { parseUserInput, UserError } from '../../src/base/errors.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { COUNT_RAD, COUNTS } from '../bus/encoder.js';

/**
 * LeRobot's calibration of an SO-100 or SO-101 arm, a JSON file with an entry for each motor. Its homing
 * offset lies in the servo already, so positions on the wire are what `range_min` and `range_max` are
 * in. Source: LeRobot, `MotorCalibration` in `lerobot/motors/motors_bus.py`.
 */
const calibrationSchema = z.record(
  z.string(),
  z.object({
    id: z.int().min(0).max(253),
    drive_mode: z.union([z.literal(0), z.literal(1)]),
    homing_offset: z.int(),
    range_min: z
      .int()
      .min(0)
      .max(COUNTS - 1),
    range_max: z
      .int()
      .min(0)
      .max(COUNTS - 1),
  }),
);

export interface Calibrated {
  readonly joint: string;
  readonly id: number;
  readonly sign: 1 | -1;
  readonly offset_rad: number;
}

/**
 * The middle of a servo's recorded range is taken for the middle of the joint's.
 * @param where the file, for messages
 * @throws UserError where a joint has no entry, or a range is empty
 */
export function fromLeRobot(value: unknown, spec: RobotSpec, where: string): Calibrated[] {
  const calibration = parseUserInput(calibrationSchema, value, where);
  return spec.joints.map(({ name, position_rad: [low, high] }) => {
    const entry = calibration[name];
    if (!entry)
      throw new UserError(`${where}: no motor "${name}"; motors are ${Object.keys(calibration).join(', ')}`);
    const { id, drive_mode, range_min, range_max } = entry;
    if (range_min >= range_max)
      throw new UserError(`${where}, ${name}: range_min ${range_min} is not below range_max ${range_max}`);
    const sign = drive_mode === 1 ? -1 : 1;
    const middle = (range_min + range_max) / 2;
    const offset_rad = (low + high) / 2 + sign * (COUNTS / 2 - middle) * COUNT_RAD;
    return { joint: name, id, sign, offset_rad: Number(offset_rad.toFixed(5)) };
  });
}
