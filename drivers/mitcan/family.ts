import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { DriveMode } from '../../src/robot/state.js';
import { type Drive, type Order, toDrive_rad, toJoint_rad } from '../bus/drive.js';
import { BusDriver, type BusOptions, COMMAND_LOST_S, drivesOf } from '../bus/driver.js';
import { describe, type Family } from '../bus/family.js';
import { OnExchange } from '../bus/opened.js';
import { cycleOf, MitBus, toDrive } from './bus.js';
import { checkDrive } from './checks.js';
import {
  encodeCommand,
  encodeSpecial,
  faultName,
  type MitCommand,
  type MitFeedback,
  State,
} from './codec.js';
import { Register, TIMEOUT_S } from './registers.js';

type Spec = BusOf<'mitcan'>;
type Entry = Spec['joints'][string];
type Actuator = Drive<Entry>;

const limp: MitCommand = { position_rad: 0, velocity_rad_s: 0, kp_nm_rad: 0, kd_nm_s_rad: 0, torque_nm: 0 };

export function mitcanDriver(options: BusOptions<Spec>): BusDriver<Entry> {
  const drives = drivesOf(options.spec, options.bus);
  return new BusDriver(options, drives, new MitFamily(options, drives));
}

/** MIT-style actuators: five numbers out and a sample back for each, with the gains in every command. */
class MitFamily extends OnExchange<MitBus> implements Family<Entry> {
  readonly schedule;
  readonly supply_v = 0;

  constructor(
    private readonly options: BusOptions<Spec>,
    drives: readonly Actuator[],
  ) {
    super();
    this.schedule = cycleOf(drives.length);
  }

  protected override connect(): Promise<MitBus> {
    return MitBus.open(this.options.bus.transport, this.options.port, this.options.bus.baud);
  }

  check(drive: Actuator): Promise<void> {
    return checkDrive(this.bus, drive, this.options.bus.range);
  }

  /** Its own watchdog, then torque with no gains, then a hold where it stands. */
  async setUp(drive: Actuator): Promise<void> {
    const where = describe(this.options.port, drive);
    const timeout = Math.round(COMMAND_LOST_S / TIMEOUT_S);
    const taken = await this.bus.write(drive.id, Register.timeout, timeout);
    if (taken !== timeout)
      throw new UserError(
        `${where}, register ${Register.timeout} (timeout): ${timeout} is not confirmed (${taken ?? 'no answer'}); check cable and supply`,
      );
    // Off, it answers with its position and does nothing.
    const found = await this.bus.special('disable', drive.id, this.options.bus.range);
    if (found) this.take(drive, found);
    if (!found || !(await this.hold(drive)))
      throw new UserError(
        `${where}: torque on is not confirmed${drive.fault ? `, it reports ${drive.fault}` : ''}; check cable and supply`,
      );
  }

  async hold(drive: Actuator): Promise<boolean> {
    const { range } = this.options.bus;
    // What made it give up has been seen to by the operator, or comes up again.
    await this.bus.special('clear', drive.id, range);
    await this.bus.special('enable', drive.id, range);
    const { joint, position_rad } = drive;
    const order = {
      drive,
      mode: DriveMode.track,
      position_rad,
      velocity_rad_s: 0,
      kp_nm_rad: joint.kp_nm_rad,
      kd_nm_s_rad: joint.kd_nm_s_rad,
      torque_nm: 0,
    };
    const answer = (await this.bus.feedback([toDrive(drive.id, this.encode(order))], [drive.id], range)).get(
      drive.id,
    );
    if (answer) this.take(drive, answer);
    return answer?.state === State.on;
  }

  async release(drive: Actuator): Promise<boolean> {
    if (!this.isOpen) return true;
    const answer = await this.bus.special('disable', drive.id, this.options.bus.range);
    return answer !== undefined && answer.state !== State.on;
  }

  async cycle(orders: readonly Order<Entry>[], drives: readonly Actuator[]): Promise<Set<Actuator>> {
    // A drive that lost its torque takes no notice of a command, and says so in its answer.
    const frames =
      orders.length > 0
        ? orders.map((o) => toDrive(o.drive.id, this.encode(o)))
        : drives.map((d) => toDrive(d.id, encodeSpecial('disable')));
    const ids = drives.map((d) => d.id);
    const answers = await this.bus.feedback(frames, ids, this.options.bus.range);
    const answered = drives.filter((d) => answers.has(d.id));
    for (const drive of answered) this.take(drive, answers.get(drive.id)!);
    return new Set(answered);
  }

  /** Said in every answer. */
  async haveTorque(drives: readonly Actuator[]): Promise<Map<Actuator, boolean>> {
    return new Map(drives.map((d) => [d, d.on === true]));
  }

  private encode({ drive, mode, ...at }: Order<Entry>): Uint8Array {
    const { range } = this.options.bus;
    const { sign, gear_ratio: gear } = drive.map;
    if (mode === DriveMode.off) return encodeCommand(limp, range);
    const command = {
      position_rad: toDrive_rad(at.position_rad, drive.map),
      velocity_rad_s: sign * at.velocity_rad_s * gear,
      kp_nm_rad: at.kp_nm_rad / gear ** 2,
      kd_nm_s_rad: at.kd_nm_s_rad / gear ** 2,
      torque_nm: (sign * at.torque_nm) / gear,
    };
    return encodeCommand(command, range);
  }

  private take(drive: Actuator, feedback: MitFeedback): void {
    const { sign, gear_ratio: gear } = drive.map;
    drive.position_rad = toJoint_rad(feedback.position_rad, drive.map);
    drive.velocity_rad_s = (sign * feedback.velocity_rad_s) / gear;
    drive.torque_nm = sign * feedback.torque_nm * gear;
    drive.temperature_c = Math.max(feedback.driver_c, feedback.rotor_c);
    drive.on = feedback.state === State.on;
    drive.fault = faultName(feedback.state);
  }
}
