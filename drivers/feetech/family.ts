import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { type Drive, goal_rad, type Order } from '../bus/drive.js';
import { BusDriver, type BusOptions, drivesOf } from '../bus/driver.js';
import { COUNT_RAD, ofCount_rad, toCount } from '../bus/encoder.js';
import { describe, type Family } from '../bus/family.js';
import { OnExchange } from '../bus/opened.js';
import { cycleOf, FeetechBus } from './bus.js';
import { checkServo, readWords } from './checks.js';
import { ErrorBit, errorNames, type Packet, syncRead, syncWrite } from './codec.js';
import { decodeFeedback, FEEDBACK, Register } from './registers.js';

type Spec = BusOf<'feetech'>;
type Entry = Spec['joints'][string];
type Servo = Drive<Entry>;

/** A servo that says one of these has given up, or is about to. */
const GRAVE = ErrorBit.overload | ErrorBit.overheating | ErrorBit.overcurrent;

const word = (value: number) => [value & 0xff, (value >> 8) & 0xff];

export function feetechDriver(options: BusOptions<Spec>): BusDriver<Entry> {
  const drives = drivesOf(options.spec, options.bus);
  return new BusDriver(options, drives, new FeetechFamily(options, drives));
}

/** Feetech STS servos: positions alone go out, in one packet to all. They have no watchdog of their own. */
class FeetechFamily extends OnExchange<FeetechBus> implements Family<Entry> {
  readonly schedule;
  supply_v = 0;
  private readonly ids: readonly number[];
  private readonly question: Uint8Array;

  constructor(
    private readonly options: BusOptions<Spec>,
    drives: readonly Servo[],
  ) {
    super();
    this.ids = drives.map((d) => d.id);
    this.question = syncRead(this.ids, FEEDBACK.address, FEEDBACK.length);
    this.schedule = cycleOf(drives.length);
  }

  protected override connect(): Promise<FeetechBus> {
    return FeetechBus.open(this.options.port, this.options.bus.baud);
  }

  check(servo: Servo): Promise<void> {
    return checkServo(this.bus, servo);
  }

  /** Torque limit, then a goal where it stands, then torque. */
  async setUp(servo: Servo): Promise<void> {
    const { bus } = this;
    const { id, map, joint } = servo;
    const where = describe(bus.wire.path, servo);
    const limit = Math.min(1000, Math.round((1000 * joint.torque_nm) / map.stall_torque_nm));
    if (!(await bus.write(id, Register.torqueLimit, word(limit))))
      throw new UserError(
        `${where}, register ${Register.torqueLimit}: ${limit} is not confirmed; check the cable`,
      );
    const [count] = await readWords(bus, id, Register.position, 1);
    servo.position_rad = ofCount_rad(count, map);
    if (!(await this.hold(servo)))
      throw new UserError(`${where}, register ${Register.torque}: not confirmed; check the supply`);
  }

  async hold({ id, map, position_rad }: Servo): Promise<boolean> {
    const { bus } = this;
    return (
      (await bus.write(id, Register.goalPosition, word(toCount(position_rad, map)))) &&
      (await bus.write(id, Register.torque, [1]))
    );
  }

  async release({ id }: Servo): Promise<boolean> {
    return !this.isOpen || this.bus.write(id, Register.torque, [0]);
  }

  async cycle(orders: readonly Order<Entry>[], drives: readonly Servo[]): Promise<Set<Servo>> {
    const { bus } = this;
    const listening = orders.filter((o) => o.drive.trusted);
    if (listening.length > 0)
      bus.tell(
        syncWrite(
          listening.map((o) => o.drive.id),
          Register.goalPosition,
          2,
          listening.map((o) => word(toCount(goal_rad(o), o.drive.map))),
        ),
      );
    const answers = await bus.askAll(this.question, this.ids, FEEDBACK.length);
    const answered = drives.filter((d) => answers.has(d.id));
    for (const drive of answered) this.take(drive, answers.get(drive.id)!);
    return new Set(answered);
  }

  async haveTorque(drives: readonly Servo[]): Promise<Map<Servo, boolean>> {
    const ids = drives.map((d) => d.id);
    const answers = await this.bus.askAll(syncRead(ids, Register.torque, 1), ids, 1);
    return new Map(
      drives.flatMap((d) => {
        const answer = answers.get(d.id);
        return answer ? [[d, answer.params[0] === 1] as const] : [];
      }),
    );
  }

  private take(servo: Servo, { code, params }: Packet): void {
    const { map } = servo;
    const feedback = decodeFeedback(params);
    servo.position_rad = ofCount_rad(feedback.position, map);
    servo.velocity_rad_s = (map.sign * feedback.velocity * COUNT_RAD) / map.gear_ratio;
    servo.torque_nm = map.sign * feedback.current_a * map.torque_nm_a;
    servo.temperature_c = feedback.temperature_c;
    const grave = errorNames(code & GRAVE);
    servo.fault = grave.length > 0 ? grave.join(', ') : undefined;
    this.supply_v = feedback.voltage_v;
  }
}
