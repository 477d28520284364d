import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { type Drive, goal_rad, type Order } from '../bus/drive.js';
import { BusDriver, type BusOptions, COMMAND_LOST_S, drivesOf } from '../bus/driver.js';
import { ofCount_rad, toCount } from '../bus/encoder.js';
import { describe, type Family } from '../bus/family.js';
import { OnExchange } from '../bus/opened.js';
import { cycleOf, DynamixelBus, type Status } from './bus.js';
import { checkServo } from './checks.js';
import { hardwareErrorNames, statusError, syncWrite } from './codec.js';
import {
  decodeFeedback,
  FEEDBACK,
  le16,
  le32,
  type Model,
  OperatingMode,
  Register,
  SETTINGS,
  WATCHDOG_S,
  WATCHDOG_TRIPPED,
} from './registers.js';

type Spec = BusOf<'dynamixel'>;
type Entry = Spec['joints'][string];
type Servo = Drive<Entry>;

export function dynamixelDriver(options: BusOptions<Spec>): BusDriver<Entry> {
  const drives = drivesOf(options.spec, options.bus);
  return new BusDriver(options, drives, new DynamixelFamily(options, drives));
}

/**
 * Dynamixel servos: positions go out, with the current as torque limit where the servo measures it.
 * Their bus watchdog is on while there is torque.
 */
class DynamixelFamily extends OnExchange<DynamixelBus> implements Family<Entry> {
  readonly schedule;
  supply_v = 0;
  private readonly ids: readonly number[];
  private readonly models = new Map<Servo, Model>();

  constructor(
    private readonly options: BusOptions<Spec>,
    drives: readonly Servo[],
  ) {
    super();
    this.ids = drives.map((d) => d.id);
    this.schedule = cycleOf(drives.length, options.bus.fast);
  }

  protected override connect(): Promise<DynamixelBus> {
    return DynamixelBus.open(this.options.port, this.options.bus.baud);
  }

  async check(servo: Servo): Promise<void> {
    this.models.set(servo, await checkServo(this.bus, servo));
  }

  /** Mode and torque limit, without torque, since else the mode is refused; then a hold where it stands. */
  async setUp(servo: Servo): Promise<void> {
    const { current_a } = this.models.get(servo)!;
    const { map, joint } = servo;
    await this.set(servo, Register.torque, [0]);
    const mode = current_a === undefined ? OperatingMode.position : OperatingMode.currentBasedPosition;
    await this.set(servo, Register.operatingMode, [mode]);
    await this.set(servo, Register.busWatchdog, [0]);
    if (current_a !== undefined)
      await this.set(
        servo,
        Register.goalCurrent,
        le16(Math.round(joint.torque_nm / map.torque_nm_a / current_a)),
      );
    const data = await this.bus.read(servo.id, Register.position, 4);
    if (!data)
      throw new UserError(`${describe(this.options.port, servo)}, register ${Register.position}: no answer`);
    const count = new DataView(data.buffer, data.byteOffset).getInt32(0, true);
    servo.position_rad = ofCount_rad(count, map);
    await this.set(servo, Register.goalPosition, le32(toCount(servo.position_rad, map)));
    await this.set(servo, Register.torque, [1]);
    await this.set(servo, Register.busWatchdog, [Math.round(COMMAND_LOST_S / WATCHDOG_S)]);
  }

  hold(servo: Servo): Promise<boolean> {
    return this.setUp(servo).then(
      () => true,
      () => false,
    );
  }

  async release({ id }: Servo): Promise<boolean> {
    if (!this.isOpen) return true;
    return (await this.bus.write(id, Register.torque, [0])) === undefined;
  }

  async cycle(orders: readonly Order<Entry>[], drives: readonly Servo[]): Promise<Set<Servo>> {
    const { bus } = this;
    const listening = orders.filter((o) => o.drive.trusted);
    if (listening.length > 0)
      bus.tell(
        syncWrite(
          listening.map((o) => o.drive.id),
          Register.goalPosition,
          4,
          listening.map((o) => le32(toCount(goal_rad(o), o.drive.map))),
        ),
      );
    const { address, length } = FEEDBACK;
    const answers = await bus.readAll(this.ids, address, length, this.options.bus.fast);
    const answered = drives.filter((d) => answers.has(d.id));
    for (const servo of answered) await this.take(servo, answers.get(servo.id)!);
    return new Set(answered);
  }

  async haveTorque(drives: readonly Servo[]): Promise<Map<Servo, boolean>> {
    const ids = drives.map((d) => d.id);
    const answers = await this.bus.readAll(ids, SETTINGS.address, SETTINGS.length);
    const at = Register.busWatchdog - SETTINGS.address;
    return new Map(
      drives.flatMap((d) => {
        const data = answers.get(d.id)?.data;
        return data ? [[d, data[0] === 1 && data[at] !== WATCHDOG_TRIPPED] as const] : [];
      }),
    );
  }

  private async take(servo: Servo, { error, data }: Status): Promise<void> {
    const { map } = servo;
    const feedback = decodeFeedback(data);
    const { current_a } = this.models.get(servo)!;
    servo.position_rad = ofCount_rad(feedback.position, map);
    servo.velocity_rad_s = (map.sign * feedback.velocity_rad_s) / map.gear_ratio;
    servo.torque_nm =
      map.sign *
      (current_a === undefined
        ? (feedback.current / 1000) * map.stall_torque_nm
        : feedback.current * current_a * map.torque_nm_a);
    servo.temperature_c = feedback.temperature_c;
    this.supply_v = feedback.voltage_v;
    if (!statusError(error).alert) servo.fault = undefined;
    else servo.fault ??= await this.hardwareFault(servo);
  }

  private async hardwareFault({ id }: Servo): Promise<string> {
    const bits = (await this.bus.read(id, Register.hardwareError, 1))?.[0] ?? 0;
    return hardwareErrorNames(bits).join(', ') || 'a hardware error';
  }

  /** @throws UserError naming the register that is refused */
  private async set(servo: Servo, register: number, data: readonly number[]): Promise<void> {
    const refused = await this.bus.write(servo.id, register, data);
    if (refused === undefined) return;
    const value = data.reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
    throw new UserError(
      `${describe(this.options.port, servo)}, register ${register}: ${value} is refused (${refused}); check supply, cable and the servo's own limits`,
    );
  }
}
