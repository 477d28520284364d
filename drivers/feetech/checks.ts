import { UserError } from '../../src/base/errors.js';
import type { JointDrive } from '../../src/robot/busSpec.js';
import type { Drive } from '../bus/drive.js';
import { toCount } from '../bus/encoder.js';
import { describe } from '../bus/family.js';
import type { FeetechBus } from './bus.js';
import { MODEL_STS3215, Register } from './registers.js';

/** Whether the servo is there, and is what `robot.yaml` says. @throws UserError naming port, id, register and what to try */
export async function checkServo(bus: FeetechBus, servo: Drive<JointDrive>): Promise<void> {
  const { path, baud } = bus.wire;
  const where = describe(path, servo);
  const model = await bus.read(servo.id, Register.model, 2);
  if (!model)
    throw new UserError(
      `${where} does not answer; is it powered and cabled, and are id and baud (${baud}) right? \`reverie bus scan ${path}\` shows who answers`,
    );
  const number = model[0] | (model[1] << 8);
  if (number !== MODEL_STS3215)
    throw new UserError(
      `${where}, register ${Register.model}: model ${number}, expected ${MODEL_STS3215} (STS3215); another servo has this id`,
    );
  const [least, most] = await readWords(bus, servo.id, Register.minAngle, 2);
  const [a, b] = neededCounts(servo);
  if (least > a || most < b)
    throw new UserError(
      `${where}, registers ${Register.minAngle} and ${Register.maxAngle}: the servo's limits are ${least}–${most}, the joint needs ${a}–${b}; widen them, or narrow position_rad`,
    );
  const [mode] = await readWords(bus, servo.id, Register.mode, 1);
  if ((mode & 0xff) !== 0)
    throw new UserError(`${where}, register ${Register.mode}: mode ${mode & 0xff}, expected 0 (position)`);
}

/** Counts between which the servo has to move for the joint's range, lowest first. */
export function neededCounts({ joint, map }: Drive<JointDrive>): [number, number] {
  const [a, b] = joint.position_rad.map((q) => toCount(q, map));
  return a < b ? [a, b] : [b, a];
}

/** Consecutive registers of two bytes. @throws UserError naming port, id and register */
export async function readWords(
  bus: FeetechBus,
  id: number,
  address: number,
  count: number,
): Promise<number[]> {
  const data = await bus.read(id, address, 2 * count);
  if (!data) throw new UserError(`${bus.wire.path}, id ${id}, register ${address}: no answer`);
  return Array.from({ length: count }, (_, i) => data[2 * i] | (data[2 * i + 1] << 8));
}
