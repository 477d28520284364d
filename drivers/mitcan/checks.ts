import { UserError } from '../../src/base/errors.js';
import type { JointDrive } from '../../src/robot/busSpec.js';
import { type Drive, toDrive_rad } from '../bus/drive.js';
import { describe } from '../bus/family.js';
import type { MitBus } from './bus.js';
import type { MitRange } from './codec.js';
import { MIT_MODE, Register } from './registers.js';

/** A register's float has seven digits. */
const EQUAL = 1e-5;

/**
 * Whether the drive is there, in MIT mode, packs its numbers as `robot.yaml` says, and whether the
 * joint's range and gains fit in what can be packed.
 * @throws UserError naming port, id, register and what to try
 */
export async function checkDrive(bus: MitBus, drive: Drive<JointDrive>, range: MitRange): Promise<void> {
  const { path } = bus.wire;
  const where = describe(path, drive);
  const read = async (register: number): Promise<number> => {
    const value = await bus.read(drive.id, register);
    if (value === undefined)
      throw new UserError(
        `${where}, register ${register}: no answer; is it powered, terminated and set to 1 Mbit/s? \`reverie bus scan ${path} --protocol mitcan\` shows who answers`,
      );
    return value;
  };
  const mode = await read(Register.controlMode);
  if (mode !== MIT_MODE)
    throw new UserError(
      `${where}, register ${Register.controlMode} (control mode): ${mode}, expected ${MIT_MODE} (MIT)`,
    );
  for (const [register, name] of [
    [Register.positionRange, 'position_rad'],
    [Register.velocityRange, 'velocity_rad_s'],
    [Register.torqueRange, 'torque_nm'],
  ] as const) {
    const value = await read(register);
    if (!(Math.abs(value - range[name]) <= EQUAL * range[name]))
      throw new UserError(
        `${where}, register ${register}: the drive packs ±${Number(value.toPrecision(6))}, range.${name} of robot.yaml says ±${range[name]}; make them equal, or every number means another`,
      );
  }
  requireRoom(where, drive, range);
}

function requireRoom(where: string, { joint, map }: Drive<JointDrive>, range: MitRange): void {
  const gear = map.gear_ratio ** 2;
  const farthest = Math.max(...joint.position_rad.map((q) => Math.abs(toDrive_rad(q, map))));
  for (const [name, needed, most] of [
    ['position_rad', farthest, range.position_rad],
    ['kp_nm_rad', joint.kp_nm_rad / gear, range.kp_nm_rad],
    ['kd_nm_s_rad', joint.kd_nm_s_rad / gear, range.kd_nm_s_rad],
  ] as const)
    if (needed > most)
      throw new UserError(
        `${where}: the joint needs ${name} ${needed} of the drive, which packs up to ${most}`,
      );
}
