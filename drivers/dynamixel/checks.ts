import { UserError } from '../../src/base/errors.js';
import type { JointDrive } from '../../src/robot/busSpec.js';
import type { Drive } from '../bus/drive.js';
import { toCount } from '../bus/encoder.js';
import { describe } from '../bus/family.js';
import type { DynamixelBus } from './bus.js';
import { type Model, models, Register } from './registers.js';

/** Whether the servo is there and lets the joint through its range. @throws UserError naming port, id, register and what to try */
export async function checkServo(bus: DynamixelBus, servo: Drive<JointDrive>): Promise<Model> {
  const { path, baud } = bus.wire;
  const where = describe(path, servo);
  const found = await bus.ping(servo.id);
  if (!found)
    throw new UserError(
      `${where} does not answer; is it powered and cabled, and are id and baud (${baud}) right? \`reverie bus scan ${path} --protocol dynamixel\` shows who answers`,
    );
  const model = models[found.model];
  if (!model)
    throw new UserError(
      `${where}, register ${Register.model}: model ${found.model} is not known; known are ${Object.entries(
        models,
      )
        .map(([n, { name }]) => `${n} (${name})`)
        .join(', ')}`,
    );
  const limits = await bus.read(servo.id, Register.maxPosition, 8);
  if (!limits) throw new UserError(`${where}, register ${Register.maxPosition}: no answer`);
  const view = new DataView(limits.buffer, limits.byteOffset, limits.byteLength);
  const [most, least] = [view.getInt32(0, true), view.getInt32(4, true)];
  const [a, b] = servo.joint.position_rad.map((q) => toCount(q, servo.map)).sort((x, y) => x - y);
  if (least > a || most < b)
    throw new UserError(
      `${where}, registers ${Register.minPosition} and ${Register.maxPosition}: the servo's limits are ${least}–${most}, the joint needs ${a}–${b}; widen them, or narrow position_rad`,
    );
  return model;
}
