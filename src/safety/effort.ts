import type { RobotSpec } from '../robot/spec.js';
import { DriveMode, type JointCommand, type RobotState } from '../robot/state.js';
import { brakeableSpeed_rad_s } from './braking.js';
import { Contact } from './contact.js';
import { Derating } from './derating.js';
import type { EventRing } from './events.js';
import { limitPower } from './power.js';
import { driveTorque_nm, limitDamping, limitTorque } from './torque.js';

/** A limit is worth an event only where it changed the torque by more than this share of the joint's. */
const WORTH_REPORTING = 0.1;

/** What the drives may put into targets: torque and power, less where they are hot or push in vain. */
export class Effort {
  private readonly derating: Derating;
  private readonly contact: Contact;
  private readonly limit_nm: Float64Array;

  constructor(private readonly spec: RobotSpec) {
    this.derating = new Derating(spec);
    this.contact = new Contact(spec);
    this.limit_nm = new Float64Array(spec.joints.length);
  }

  /** Takes in what a sample says of heat, load and contact. */
  update(state: RobotState, now_s: number, events: EventRing): void {
    const { derating, contact, limit_nm, spec } = this;
    derating.update(state);
    contact.update(state);
    for (let j = 0; j < limit_nm.length; j++) {
      const { torque_nm } = spec.joints[j];
      limit_nm[j] = torque_nm * Math.min(derating.share[j], contact.share[j]);
      if (derating.share[j] < 1)
        events.report(now_s, 'derated', j, state.torque_nm[j], derating.share[j] * torque_nm);
      if (contact.share[j] < 1)
        events.report(now_s, 'contact', j, state.torque_nm[j], contact.share[j] * torque_nm);
    }
  }

  /** Makes the command whose drives lead the joints to the targets, inside the limits. */
  track(
    targets_rad: Float64Array,
    state: RobotState,
    now_s: number,
    events: EventRing,
    command: JointCommand,
  ): void {
    const { spec, limit_nm } = this;
    command.mode = DriveMode.track;
    for (let j = 0; j < spec.joints.length; j++) {
      const target = targets_rad[j];
      const given = limitTorque(
        spec.joints[j],
        limit_nm[j],
        target,
        state.position_rad[j],
        state.velocity_rad_s[j],
      );
      command.position_rad[j] = given;
      if (given !== target) this.report(j, target, given, state, now_s, events);
    }
    const power = limitPower(spec, command.position_rad, state);
    if (power > spec.power_w) events.report(now_s, 'power', -1, power, spec.power_w);
    for (let j = 0; j < spec.joints.length; j++) {
      const joint = spec.joints[j];
      const q = state.position_rad[j];
      const dq = state.velocity_rad_s[j];
      command.velocity_rad_s[j] = 0;
      command.kp_nm_rad[j] = joint.kp_nm_rad;
      command.kd_nm_s_rad[j] = limitDamping(joint, limit_nm[j], command.position_rad[j], q, dq);
      command.torque_nm[j] = 0;
    }
  }

  /** Which limit moved a joint's target to the given one: torque, or the speed that its room to brake allows. */
  private report(
    j: number,
    target: number,
    given: number,
    state: RobotState,
    now_s: number,
    events: EventRing,
  ): void {
    const joint = this.spec.joints[j];
    const q = state.position_rad[j];
    const dq = state.velocity_rad_s[j];
    const torque = driveTorque_nm(joint, target, q, dq);
    // A joint that rests at the end of its range is held back by what its noise says of its speed.
    if (Math.abs(torque - driveTorque_nm(joint, given, q, dq)) < WORTH_REPORTING * joint.torque_nm) return;
    if (Math.abs(torque) > this.limit_nm[j]) {
      events.report(now_s, 'joint_torque', j, torque, this.limit_nm[j]);
      return;
    }
    const low = joint.position_rad[0];
    const high = joint.position_rad[1];
    const limit = torque > 0 ? brakeableSpeed_rad_s(joint, high - q) : -brakeableSpeed_rad_s(joint, q - low);
    events.report(now_s, 'joint_velocity', j, dq, limit);
  }
}
