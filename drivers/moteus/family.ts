import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { DriveMode } from '../../src/robot/state.js';
import { type Drive, type Order, toDrive_rad, toJoint_rad } from '../bus/drive.js';
import { BusDriver, type BusOptions, COMMAND_LOST_S, drivesOf } from '../bus/driver.js';
import { describe, type Family } from '../bus/family.js';
import { OnExchange } from '../bus/opened.js';
import { cycleOf, MoteusBus, type MoteusFeedback } from './bus.js';
import { Mode, Register, type Write } from './codec.js';

type Spec = BusOf<'moteus'>;
type Entry = Spec['joints'][string];
type Motor = Drive<Entry>;

const TURN_RAD = 2 * Math.PI;
/** Mode of a drive that has given up; the fault's register says why. */
const FAULT = 1;

const setMode = (mode: number): Write => ({ register: Register.mode, kind: 'int8', values: [mode] });
const stop = [setMode(Mode.stop)];

export function moteusDriver(options: BusOptions<Spec>): BusDriver<Entry> {
  const drives = drivesOf(options.spec, options.bus);
  return new BusDriver(options, drives, new MoteusFamily(options, drives));
}

/**
 * moteus in position mode. Gains go out as shares of those that are set in the drive, which have to be
 * the joint's of `robot.yaml`; each command carries the torque limit and the watchdog.
 */
class MoteusFamily extends OnExchange<MoteusBus> implements Family<Entry> {
  readonly schedule;
  supply_v = 0;

  constructor(
    private readonly options: BusOptions<Spec>,
    drives: readonly Motor[],
  ) {
    super();
    this.schedule = cycleOf(drives.length);
  }

  protected override connect(): Promise<MoteusBus> {
    return MoteusBus.open(this.options.port, this.options.bus.baud);
  }

  async check(motor: Motor): Promise<void> {
    const { port } = this.options;
    const feedback = await this.bus.insistOn(motor.id, []);
    if (!feedback)
      throw new UserError(
        `${describe(port, motor)} does not answer; is it powered and cabled, and is the id right? \`reverie bus scan ${port} --protocol moteus\` shows who answers`,
      );
    this.take(motor, feedback);
    const [low, high] = motor.joint.position_rad;
    const slack = 0.2;
    if (!(motor.position_rad >= low - slack && motor.position_rad <= high + slack))
      throw new UserError(
        `${describe(port, motor)}, register ${Register.position}: the joint would be at ${motor.position_rad.toFixed(2)} rad, outside ${low} to ${high}; was the drive switched on in another turn, or is offset_rad of another drive?`,
      );
  }

  /** A stop clears what made it give up; then a hold where it stands. */
  async setUp(motor: Motor): Promise<void> {
    const feedback = await this.bus.insistOn(motor.id, stop);
    if (feedback) this.take(motor, feedback);
    if (!feedback || !(await this.hold(motor)))
      throw new UserError(
        `${describe(this.options.port, motor)}, register ${Register.mode}: position mode is not confirmed${motor.fault ? ` (${motor.fault})` : ''}; check supply and calibration`,
      );
  }

  async hold(motor: Motor): Promise<boolean> {
    const { joint, position_rad } = motor;
    const { kp_nm_rad, kd_nm_s_rad } = joint;
    const mode = DriveMode.track;
    const still = {
      drive: motor,
      mode,
      position_rad,
      velocity_rad_s: 0,
      kp_nm_rad,
      kd_nm_s_rad,
      torque_nm: 0,
    };
    await this.bus.insistOn(motor.id, stop);
    const feedback = await this.bus.insistOn(motor.id, this.encode(still));
    if (feedback) this.take(motor, feedback);
    return feedback?.mode === Mode.position;
  }

  async release({ id }: Motor): Promise<boolean> {
    return !this.isOpen || (await this.bus.insistOn(id, stop))?.mode === Mode.stop;
  }

  async cycle(orders: readonly Order<Entry>[], drives: readonly Motor[]): Promise<Set<Motor>> {
    const ids = drives.map((d) => d.id);
    // A drive that stopped must not be started again by a goal of before.
    const writes = drives.map((d, i) => {
      if (orders.length === 0) return stop;
      return d.trusted && d.on !== false ? this.encode(orders[i]) : [];
    });
    const answers = await this.bus.query(ids, writes);
    const answered = drives.filter((d) => answers.has(d.id));
    for (const motor of answered) this.take(motor, answers.get(motor.id)!);
    return new Set(answered);
  }

  /** Said in every answer. */
  async haveTorque(drives: readonly Motor[]): Promise<Map<Motor, boolean>> {
    return new Map(drives.map((d) => [d, d.on === true]));
  }

  private encode({ drive, mode, ...at }: Order<Entry>): readonly Write[] {
    const { joint, map } = drive;
    const { sign, gear_ratio: gear } = map;
    const tracking = mode === DriveMode.track;
    const values = [
      tracking ? toDrive_rad(at.position_rad, map) / TURN_RAD : Number.NaN,
      tracking ? (sign * at.velocity_rad_s * gear) / TURN_RAD : 0,
      (sign * at.torque_nm) / gear,
      tracking ? at.kp_nm_rad / joint.kp_nm_rad : 0,
      joint.kd_nm_s_rad > 0 ? at.kd_nm_s_rad / joint.kd_nm_s_rad : 0,
      joint.torque_nm / gear,
      Number.NaN, // no position to stop at
      COMMAND_LOST_S,
    ];
    return [setMode(Mode.position), { register: Register.commandPosition, kind: 'float', values }];
  }

  private take(motor: Motor, feedback: MoteusFeedback): void {
    const { sign, gear_ratio: gear } = motor.map;
    motor.position_rad = toJoint_rad(feedback.position_rev * TURN_RAD, motor.map);
    motor.velocity_rad_s = (sign * feedback.velocity_rev_s * TURN_RAD) / gear;
    motor.torque_nm = sign * feedback.torque_nm * gear;
    motor.temperature_c = feedback.temperature_c;
    motor.on = feedback.mode === Mode.position;
    motor.fault = feedback.mode === FAULT ? `fault ${feedback.fault}` : undefined;
    this.supply_v = feedback.voltage_v;
  }
}
