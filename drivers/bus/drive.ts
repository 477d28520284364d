import type { JointDrive } from '../../src/robot/busSpec.js';
import type { JointSpec } from '../../src/robot/spec.js';
import { DriveMode } from '../../src/robot/state.js';

/** One drive of a bus, with what it said last, at the joint. */
export class Drive<Entry extends JointDrive = JointDrive> {
  position_rad = Number.NaN;
  velocity_rad_s = 0;
  torque_nm = 0;
  temperature_c = 0;
  /** Whether it has torque; undefined where its samples do not say. */
  on: boolean | undefined;
  /** Where it was when torque came on. */
  began_rad = Number.NaN;
  /** Why it gave up, or is about to. */
  fault: string | undefined;
  /** Answered last time, and is known to be as it was set up: it may be told where to go. */
  trusted = true;
  /** Where it stays since it came back, whatever is commanded; until torque is off. */
  held_rad: number | undefined;

  constructor(
    /** In the robot's joint order. */
    readonly index: number,
    readonly joint: JointSpec,
    readonly map: Entry,
  ) {}

  get id(): number {
    return this.map.id;
  }
}

/** What a drive is to do in a cycle; at the joint. */
export interface Order<Entry extends JointDrive = JointDrive> {
  readonly drive: Drive<Entry>;
  readonly mode: DriveMode;
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly kp_nm_rad: number;
  readonly kd_nm_s_rad: number;
  readonly torque_nm: number;
}

/**
 * Where a servo that knows only positions is sent. A brake is a goal that lags behind the speed, so
 * that the servo's own loop makes of it kp (goal − q) = −kd v.
 */
export function goal_rad({ drive, mode, position_rad }: Order): number {
  if (mode === DriveMode.track) return position_rad;
  const { joint } = drive;
  return drive.position_rad - (joint.kd_nm_s_rad / joint.kp_nm_rad) * drive.velocity_rad_s;
}

/** Position of the joint for one of the drive's. */
export function toJoint_rad(drive_rad: number, { sign, offset_rad, gear_ratio }: JointDrive): number {
  return (sign * drive_rad) / gear_ratio + offset_rad;
}

/** Position of the drive for one of the joint. */
export function toDrive_rad(joint_rad: number, { sign, offset_rad, gear_ratio }: JointDrive): number {
  return sign * (joint_rad - offset_rad) * gear_ratio;
}
