import { z } from 'zod';

/** The buses of a robot, as `robot.yaml` says them: who is on which line, and how joints map to drives. */

const positive = z.number().positive();

const bus = {
  name: z.string().regex(/^[a-z0-9_-]+$/),
  baud: z.int().positive().describe('of the serial port; an adapter on USB takes any'),
  rate_hz: positive.describe('cycles of the bus: all goals out, all samples in'),
};

const drive = (id: z.ZodNumber) => ({
  id,
  sign: z.union([z.literal(1), z.literal(-1)]).default(1),
  offset_rad: z.number().default(0).describe("joint position at the drive's zero, an encoder's middle"),
  gear_ratio: positive.default(1).describe('turns of the drive for a turn of the joint'),
});

/** Servos that measure their current and know only a share of their largest torque. */
const servo = z.strictObject({
  ...drive(z.int().min(0).max(252)),
  torque_nm_a: positive.describe('current to torque, at the joint'),
  stall_torque_nm: positive.describe("at the joint; what the drive's torque limit is a share of"),
});

const feetech = z.strictObject({
  ...bus,
  protocol: z.literal('feetech'),
  joints: z.record(z.string(), servo),
});

const dynamixel = z.strictObject({
  ...bus,
  protocol: z.literal('dynamixel'),
  fast: z.boolean().default(false).describe('fast sync read, where the firmware of all servos knows it'),
  joints: z.record(z.string(), servo),
});

const mitcan = z.strictObject({
  ...bus,
  protocol: z.literal('mitcan'),
  transport: z.enum(['slcan', 'socketcan']).default('slcan'),
  range: z
    .strictObject({
      position_rad: positive,
      velocity_rad_s: positive,
      torque_nm: positive,
      kp_nm_rad: positive.default(500),
      kd_nm_s_rad: positive.default(5),
    })
    .describe('what the packed numbers span, as set in the drives: ± the first three, 0 to the gains'),
  joints: z.record(z.string(), z.strictObject(drive(z.int().min(1).max(15)))),
});

const moteus = z.strictObject({
  ...bus,
  protocol: z.literal('moteus'),
  joints: z.record(z.string(), z.strictObject(drive(z.int().min(1).max(127)))),
});

const odrive = z.strictObject({
  ...bus,
  protocol: z.literal('odrive'),
  joints: z
    .record(
      z.string(),
      z.strictObject({ ...drive(z.int().min(0).max(1)), torque_nm_a: positive.describe('at the joint') }),
    )
    .describe('ids are axes'),
});

const imu = z.strictObject({
  ...bus,
  protocol: z.enum(['bno085', 'witmotion', 'xsens', 'microstrain']),
  mount_rpy_rad: z
    .tuple([z.number(), z.number(), z.number()])
    .default([0, 0, 0])
    .describe('how the sensor sits in the body: roll, pitch, yaw'),
});

export const busSchema = z
  .discriminatedUnion('protocol', [feetech, dynamixel, mitcan, moteus, odrive, imu])
  .describe('drives on one line and the joints that they move, or an IMU on a line of its own');

export type BusSpec = z.output<typeof busSchema>;
export type DriveBusSpec = Extract<BusSpec, { joints: unknown }>;
export type ImuBusSpec = Exclude<BusSpec, DriveBusSpec>;
export type BusOf<P extends BusSpec['protocol']> = Extract<BusSpec, { protocol: P }>;

/** What every drive's entry has. */
export interface JointDrive {
  readonly id: number;
  readonly sign: 1 | -1;
  readonly offset_rad: number;
  readonly gear_ratio: number;
}

export function hasDrives(bus: BusSpec): bus is DriveBusSpec {
  return 'joints' in bus;
}

/** What is wrong with a robot's buses, each with its place. */
export function* busFaults(
  buses: readonly BusSpec[],
  joints: readonly string[],
): Generator<{ path: (string | number)[]; message: string }> {
  const names = buses.map((b) => b.name);
  for (const [b, one] of buses.entries()) {
    if (names.indexOf(one.name) !== b)
      yield { path: [b, 'name'], message: `bus "${one.name}" is there twice` };
    if (!hasDrives(one)) continue;
    const ids = new Map<number, string>();
    for (const [joint, { id }] of Object.entries(one.joints)) {
      if (!joints.includes(joint)) yield { path: [b, 'joints', joint], message: `no joint "${joint}"` };
      const other = ids.get(id);
      if (other) yield { path: [b, 'joints', joint, 'id'], message: `id ${id} is that of "${other}" too` };
      ids.set(id, joint);
    }
  }
  if (buses.filter((b) => !hasDrives(b)).length > 1) yield { path: [], message: 'more than one IMU' };
  const driven = buses.filter(hasDrives).flatMap((one) => Object.keys(one.joints));
  for (const name of joints)
    if (driven.filter((d) => d === name).length !== 1)
      yield { path: [], message: `each joint is on one bus; look at "${name}"` };
}
