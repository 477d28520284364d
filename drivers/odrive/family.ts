import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { DriveMode } from '../../src/robot/state.js';
import { type Drive, type Order, toDrive_rad, toJoint_rad } from '../bus/drive.js';
import { BusDriver, type BusOptions, COMMAND_LOST_S, drivesOf } from '../bus/driver.js';
import { describe, type Family } from '../bus/family.js';
import { OnExchange } from '../bus/opened.js';
import { cycleOf, OdriveBus } from './bus.js';
import { AxisState, clearErrors, feedWatchdog, position, velocity } from './codec.js';

type Spec = BusOf<'odrive'>;
type Entry = Spec['joints'][string];
type Axis = Drive<Entry>;

const TURN_RAD = 2 * Math.PI;
/** Asked for in turn, one a cycle: what no feedback line says. */
const slow = ['current_state', 'error', 'motor.current_control.Iq_measured', 'fet_thermistor.temperature'];

export function odriveDriver(options: BusOptions<Spec>): BusDriver<Entry> {
  const drives = drivesOf(options.spec, options.bus);
  return new BusDriver(options, drives, new OdriveFamily(options, drives));
}

/**
 * An ODrive's axes: positions go out to loops whose gains are set in the drive; a brake is the
 * velocity loop at zero. Its watchdog is on while there is torque.
 */
class OdriveFamily extends OnExchange<OdriveBus> implements Family<Entry> {
  readonly schedule;
  supply_v = 0;
  private cycles = 0;

  constructor(
    private readonly options: BusOptions<Spec>,
    private readonly axes: readonly Axis[],
  ) {
    super();
    this.schedule = cycleOf(axes.length);
  }

  protected override connect(): Promise<OdriveBus> {
    return OdriveBus.open(this.options.port, this.options.bus.baud);
  }

  async check(axis: Axis): Promise<void> {
    const { port, bus } = this.options;
    const state = await this.bus.read(`axis${axis.id}.current_state`);
    if (state === undefined)
      throw new UserError(
        `${describe(port, axis)}, axis${axis.id}.current_state: no answer; is the drive powered, its UART at ${bus.baud} baud and its protocol ASCII?`,
      );
    const volts = await this.bus.read('vbus_voltage');
    this.supply_v = volts ?? 0;
  }

  /** Torque limit and watchdog, then a hold where it stands. */
  async setUp(axis: Axis): Promise<void> {
    const { port } = this.options;
    await this.set(axis, 'motor.config.torque_lim', axis.joint.torque_nm / axis.map.gear_ratio);
    await this.set(axis, 'config.enable_watchdog', 0);
    await this.set(axis, 'config.watchdog_timeout', COMMAND_LOST_S);
    this.bus.say(clearErrors());
    const found = await this.bus.feedback(axis.id);
    if (!found) throw new UserError(`${describe(port, axis)}: no feedback; is its encoder ready?`);
    axis.position_rad = toJoint_rad(found.turns * TURN_RAD, axis.map);
    if (!(await this.hold(axis)))
      throw new UserError(
        `${describe(port, axis)}, axis${axis.id}.requested_state: closed loop is not confirmed; is the axis calibrated? its errors are in axis${axis.id}.error`,
      );
  }

  async hold(axis: Axis): Promise<boolean> {
    const own = `axis${axis.id}`;
    await this.bus.write(`${own}.config.enable_watchdog`, 0);
    this.bus.say(position(axis.id, toDrive_rad(axis.position_rad, axis.map) / TURN_RAD));
    this.bus.say(`w ${own}.requested_state ${AxisState.closedLoop}\n`);
    const state = await this.bus.read(`${own}.current_state`);
    this.bus.say(feedWatchdog(axis.id));
    await this.bus.write(`${own}.config.enable_watchdog`, 1);
    axis.on = state === AxisState.closedLoop;
    if (axis.on) axis.fault = undefined;
    return axis.on;
  }

  async release({ id }: Axis): Promise<boolean> {
    if (!this.isOpen) return true;
    // Without torque nobody feeds its watchdog.
    await this.bus.write(`axis${id}.config.enable_watchdog`, 0);
    this.bus.say(`w axis${id}.requested_state ${AxisState.idle}\n`);
    return (await this.bus.read(`axis${id}.current_state`)) === AxisState.idle;
  }

  async cycle(orders: readonly Order<Entry>[], drives: readonly Axis[]): Promise<Set<Axis>> {
    const answered = new Set<Axis>();
    for (const [i, axis] of drives.entries()) {
      const goal = orders[i] && axis.trusted ? this.goal(orders[i]) : '';
      const feedback = await this.bus.feedback(axis.id, goal);
      if (!feedback) continue;
      answered.add(axis);
      axis.position_rad = toJoint_rad(feedback.turns * TURN_RAD, axis.map);
      axis.velocity_rad_s = (axis.map.sign * feedback.turns_s * TURN_RAD) / axis.map.gear_ratio;
    }
    if (answered.size > 0) await this.lookSlowly();
    return answered;
  }

  async haveTorque(drives: readonly Axis[]): Promise<Map<Axis, boolean>> {
    const have = new Map<Axis, boolean>();
    for (const axis of drives) {
      const state = await this.bus.read(`axis${axis.id}.current_state`, 1);
      if (state === undefined) continue;
      // Setting it up again would clear what made it give up: that has to be known before.
      if (state !== AxisState.closedLoop) {
        const errors = await this.bus.read(`axis${axis.id}.error`, 1);
        if (errors === undefined) continue;
        axis.fault = faultOf(errors);
      }
      have.set(axis, state === AxisState.closedLoop);
    }
    return have;
  }

  private goal({ drive, mode, ...at }: Order<Entry>): string {
    const { sign, gear_ratio: gear } = drive.map;
    if (mode !== DriveMode.track) return velocity(drive.id, 0);
    const turns = toDrive_rad(at.position_rad, drive.map) / TURN_RAD;
    return position(
      drive.id,
      turns,
      (sign * at.velocity_rad_s * gear) / TURN_RAD,
      (sign * at.torque_nm) / gear,
    );
  }

  private async lookSlowly(): Promise<void> {
    const turn = this.cycles++;
    const axis = this.axes[turn % this.axes.length];
    const property = slow[Math.floor(turn / this.axes.length) % slow.length];
    const value = await this.bus.read(`axis${axis.id}.${property}`, 1);
    if (value === undefined) return;
    if (property === 'current_state') axis.on = value === AxisState.closedLoop;
    else if (property === 'error') axis.fault = faultOf(value);
    else if (property === 'fet_thermistor.temperature') axis.temperature_c = value;
    else axis.torque_nm = axis.map.sign * value * axis.map.torque_nm_a;
  }

  /** @throws UserError naming the property that is refused */
  private async set(axis: Axis, name: string, value: number): Promise<void> {
    const property = `axis${axis.id}.${name}`;
    const taken = await this.bus.write(property, value);
    if (taken !== undefined && Math.abs(taken - value) < 1e-3) return;
    throw new UserError(
      `${describe(this.options.port, axis)}, ${property}: ${value} is refused (${taken ?? 'no answer'}); does this firmware have it?`,
    );
  }
}

/** That nobody fed its watchdog is no fault of the axis. */
const WATCHDOG_EXPIRED = 0x800;
function faultOf(bits: number): string | undefined {
  const own = bits & ~WATCHDOG_EXPIRED;
  return own === 0 ? undefined : `error 0x${own.toString(16)}`;
}
