import { UserError } from '../../src/base/errors.js';
import type { JointDrive, JointSpec } from '../../src/robot/spec.js';
import type { FeetechBus } from './bus.js';
import { toCount } from './mapping.js';
import { MODEL_STS3215, Register } from './registers.js';

export interface DrivenJoint {
  readonly joint: JointSpec;
  readonly drive: JointDrive;
}

/** A servo as messages name it. */
export function describeServo(wire: FeetechBus, { drive, joint }: DrivenJoint): string {
  return `${wire.line.path}, id ${drive.id} (${joint.name})`;
}

/** Whether the servo is there, and is what `robot.yaml` says. @throws UserError naming port, id, register and what to try */
export async function checkServo(wire: FeetechBus, servo: DrivenJoint): Promise<void> {
  const where = describeServo(wire, servo);
  const model = await wire.read(servo.drive.id, Register.model, 2);
  if (!model)
    throw new UserError(
      `${where} does not answer; is it powered and cabled, and are id and baud (${wire.line.baud}) right? \`reverie bus scan ${wire.line.path}\` shows who answers`,
    );
  const number = model[0] | (model[1] << 8);
  if (number !== MODEL_STS3215)
    throw new UserError(
      `${where}, register ${Register.model}: model ${number}, expected ${MODEL_STS3215} (STS3215); another servo has this id`,
    );
  const [least, most] = await readWords(wire, servo.drive.id, Register.minAngle, 2);
  const [a, b] = servo.joint.position_rad.map((q) => toCount(q, servo.drive)).sort((x, y) => x - y);
  if (least > a || most < b)
    throw new UserError(
      `${where}, registers ${Register.minAngle} and ${Register.maxAngle}: the servo's limits are ${least}–${most}, the joint needs ${a}–${b}; widen them, or narrow position_rad`,
    );
  const [mode] = await readWords(wire, servo.drive.id, Register.mode, 1);
  if ((mode & 0xff) !== 0)
    throw new UserError(`${where}, register ${Register.mode}: mode ${mode & 0xff}, expected 0 (position)`);
}

/** Consecutive registers of two bytes. @throws UserError naming port, id and register */
export async function readWords(
  wire: FeetechBus,
  id: number,
  address: number,
  count: number,
): Promise<number[]> {
  const data = await wire.read(id, address, 2 * count);
  if (!data) throw new UserError(`${wire.line.path}, id ${id}, register ${address}: no answer`);
  return Array.from({ length: count }, (_, i) => data[2 * i] | (data[2 * i + 1] << 8));
}
