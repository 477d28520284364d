import { UserError } from '../../src/base/errors.js';
import type { Driver } from '../../src/robot/driver.js';
import type { BusSpec, JointDrive, JointSpec, RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { requireFit } from '../schedule.js';
import { SerialLine } from '../serial/line.js';
import { CYCLE_ANSWER_MS, cycleOf, FeetechBus, PATIENT_ANSWER_MS } from './bus.js';
import { checkServo, describeServo, readWords } from './checks.js';
import { ErrorBit, errorNames, syncRead, syncWrite } from './codec.js';
import { toCount, toJoint_rad } from './mapping.js';
import { COUNT_RAD, decodeFeedback, FEEDBACK, Register } from './registers.js';

export interface FeetechOptions {
  readonly spec: RobotSpec;
  /** Of `robot.yaml`, for messages. */
  readonly path: string;
  /** Path of the port of each bus. */
  readonly ports: Readonly<Record<string, string>>;
}

/** Without a command for this long the driver brakes: the servos have no watchdog of their own. */
const COMMAND_LOST_S = 0.1;
/** The line counts as lost, and is opened anew, after so many cycles without any answer: counted, not timed, since this process may have been kept waiting itself. */
const SILENT_CYCLES = 8;
const REOPEN_MS = 50;
/** A servo that says one of these has given up, or is about to. */
const GRAVE = ErrorBit.overload | ErrorBit.overheating | ErrorBit.overcurrent;

const low = (word: number) => word & 0xff;
const high = (word: number) => (word >> 8) & 0xff;
/** The robot's clock, as `src/control/clock.ts` has it. */
const now_s = () => Number(process.hrtime.bigint()) * 1e-9;

interface Servo {
  readonly index: number;
  readonly joint: JointSpec;
  readonly drive: JointDrive;
  count: number;
  velocity_rad_s: number;
  /** Answered last time, and is known to be as it was set up: a goal may be sent. */
  trusted: boolean;
  /** Count that it holds since it came back, whatever is commanded; until torque is off. */
  held: number | undefined;
  /** Grave error bits of its last answer. */
  grave: number;
}

/** For the driver worker. */
export async function createDriver(options: FeetechOptions): Promise<FeetechDriver> {
  return new FeetechDriver(options);
}

/**
 * An arm of Feetech STS servos. The bus runs on the event loop at its own rate; `read` and `write` only
 * hand over. A sample is published when every servo has answered: a gap shows as an old sample, and
 * the safety kernel knows what to do. A servo that comes back without its settings holds its place,
 * and no sample is published until the kernel has stopped the robot.
 */
export class FeetechDriver implements Driver {
  readonly name = 'feetech';
  watchdogTrips = 0;
  /** Times that a servo was silent in a cycle; came back as it was; came back without its settings. */
  readonly counts = { cycles: 0, retries: 0, silent: 0, returned: 0, refused: 0 };
  private readonly bus: BusSpec;
  private readonly port: string;
  private readonly servos: Servo[];
  private readonly ids: number[];
  private readonly sample: RobotState;
  private readonly command: JointCommand;
  private readonly question: Uint8Array;
  private wire: FeetechBus | undefined;
  private fresh = false;
  private torque = false;
  private commandAt_s = Number.POSITIVE_INFINITY;
  private braking = false;
  /** Somebody on the bus is not as he was: nothing is published until the kernel has stopped tracking. */
  private untrusted = false;
  /** Cycles in a row that nobody answered. */
  private unanswered = 0;
  private running = false;
  private finished: Promise<void> = Promise.resolve();

  constructor(options: FeetechOptions) {
    const { spec, path, ports } = options;
    if (spec.bus?.length !== 1)
      throw new UserError(`${path}: this driver wants one bus, found ${spec.bus?.length ?? 0}`);
    this.bus = spec.bus[0];
    this.port = ports[this.bus.name];
    if (!this.port)
      throw new UserError(`the launch file names no port for the bus "${this.bus.name}" of ${path}`);
    this.servos = spec.joints.map((joint, index) => ({
      index,
      joint,
      drive: this.bus.joints[joint.name],
      count: 0,
      velocity_rad_s: 0,
      trusted: true,
      held: undefined,
      grave: 0,
    }));
    this.ids = this.servos.map((s) => s.drive.id);
    this.question = syncRead(this.ids, FEEDBACK.address, FEEDBACK.length);
    this.sample = RobotState.for(spec);
    this.command = new JointCommand(spec.joints.length);
    requireFit(`${path}: bus "${this.bus.name}"`, cycleOf(this.ids.length), this.bus.baud, this.bus.rate_hz);
  }

  async configure(): Promise<void> {
    const line = await SerialLine.open(this.port, this.bus.baud);
    this.wire = new FeetechBus(line);
    for (const servo of this.servos) await checkServo(this.wire, servo);
  }

  /** Holds every joint where it is, with no more torque than `robot.yaml` allows. */
  async activate(): Promise<void> {
    for (const servo of this.servos) await this.setUp(servo);
    this.torque = true;
    this.wire!.patience_ms = CYCLE_ANSWER_MS;
    this.running = true;
    this.finished = this.run();
  }

  read(into: RobotState): boolean {
    if (!this.fresh) return false;
    this.fresh = false;
    into.flat.set(this.sample.flat);
    return true;
  }

  write(command: JointCommand): void {
    this.command.flat.set(command.flat);
    this.commandAt_s = now_s();
    this.braking = false;
  }

  /** Torque off. Servos that do not confirm are asked three times. */
  async deactivate(): Promise<void> {
    this.running = false;
    await this.finished;
    this.torque = false;
    if (this.wire) this.wire.patience_ms = PATIENT_ANSWER_MS;
    for (const { drive } of this.servos) await this.wire?.write(drive.id, Register.torque, [0]);
  }

  async close(): Promise<void> {
    await this.wire?.line.close();
  }

  /** Bus cycles at absolute deadlines; those that were missed are not made up for. */
  private async run(): Promise<void> {
    const period_s = 1 / this.bus.rate_hz;
    let deadline_s = now_s();
    while (this.running) {
      if (this.unanswered >= SILENT_CYCLES) await this.recover();
      else await this.cycle();
      deadline_s = Math.max(deadline_s + period_s, now_s());
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1e3 * (deadline_s - now_s()))));
    }
  }

  private async cycle(): Promise<void> {
    const wire = this.wire!;
    this.counts.cycles++;
    await this.sendGoals(wire);
    const asked_s = now_s();
    const answers = await wire.ask(this.question, this.ids, FEEDBACK.length);
    this.unanswered = answers.size > 0 ? 0 : this.unanswered + 1;
    const time_s = (asked_s + now_s()) / 2;
    this.counts.silent += this.servos.length - answers.size;
    for (const servo of this.servos) {
      const answer = answers.get(servo.drive.id);
      if (!answer) {
        servo.trusted = false;
        continue;
      }
      this.take(servo, answer.params);
      this.heed(servo, answer.code);
    }
    await this.meetAgain(this.servos.filter((s) => !s.trusted && answers.has(s.drive.id)));
    if (answers.size < this.servos.length || this.servos.some((s) => !s.trusted)) return;
    // A joint that is not as it was must not be closed around until the kernel has let go.
    if (this.untrusted && this.torque && this.mode === DriveMode.track) return;
    if (this.mode !== DriveMode.track) this.untrusted = false;
    this.sample.time_s = time_s;
    this.fresh = true;
  }

  /** A servo that has switched itself off: said once, and the robot stops. */
  private heed(servo: Servo, error: number): void {
    const grave = error & GRAVE;
    if (grave !== 0) this.untrusted = true;
    if (grave !== 0 && grave !== servo.grave) {
      this.counts.refused++;
      this.say(servo, `reports ${errorNames(grave).join(', ')}; the robot stops`);
    }
    servo.grave = grave;
  }

  private get mode(): DriveMode {
    return this.braking ? DriveMode.damp : this.command.mode;
  }

  private take(servo: Servo, bytes: Uint8Array): void {
    const { sample } = this;
    const { index: j, drive } = servo;
    const feedback = decodeFeedback(bytes);
    servo.count = feedback.position;
    servo.velocity_rad_s = (drive.sign * feedback.velocity * COUNT_RAD) / drive.gear_ratio;
    sample.position_rad[j] = toJoint_rad(feedback.position, drive);
    sample.velocity_rad_s[j] = servo.velocity_rad_s;
    sample.torque_nm[j] = drive.sign * feedback.current_a * drive.torque_nm_a;
    sample.temperature_c[j] = feedback.temperature_c;
    sample.supply_v = feedback.voltage_v;
  }

  private async sendGoals(wire: FeetechBus): Promise<void> {
    if (now_s() - this.commandAt_s > COMMAND_LOST_S && !this.braking) {
      this.braking = true;
      this.watchdogTrips++;
    }
    // Until the first command it holds still, as `activate` left it.
    if (this.commandAt_s === Number.POSITIVE_INFINITY) return;
    const on = this.mode !== DriveMode.off;
    if (!on && this.torque) {
      wire.tell(
        syncWrite(
          this.ids,
          Register.torque,
          1,
          this.ids.map(() => [0]),
        ),
      );
      for (const servo of this.servos) servo.held = undefined;
      this.torque = false;
    }
    if (!on) return;
    if (!this.torque) {
      // Each begins where it is: a goal of long ago may be anywhere.
      for (const servo of this.servos) if (!(await this.hold(servo))) servo.trusted = false;
      this.torque = true;
    }
    const listening = this.servos.filter((s) => s.trusted);
    if (listening.length === 0) return;
    const goals = listening.map((servo) => {
      const count = servo.held ?? this.goal(servo);
      return [low(count), high(count)];
    });
    wire.tell(
      syncWrite(
        listening.map((s) => s.drive.id),
        Register.goalPosition,
        2,
        goals,
      ),
    );
  }

  /** A servo knows only positions: a brake is a goal that lags behind the speed, kp (goal − q) = −kd v. */
  private goal({ index: j, joint, drive, count, velocity_rad_s }: Servo): number {
    if (this.mode === DriveMode.track) return toCount(this.command.position_rad[j], drive);
    const behind_rad = (joint.kd_nm_s_rad / joint.kp_nm_rad) * velocity_rad_s;
    return toCount(toJoint_rad(count, drive) - behind_rad, drive);
  }

  /** Servos that had been silent: just an answer lost, or have they been without power? One question to all. */
  private async meetAgain(servos: readonly Servo[]): Promise<void> {
    if (servos.length === 0) return;
    const ids = servos.map((s) => s.drive.id);
    const answers = await this.wire!.ask(syncRead(ids, Register.torque, 1), ids, 1);
    for (const servo of servos) {
      const answer = answers.get(servo.drive.id);
      if (answer) await this.judge(servo, answer.params[0]);
    }
  }

  /** @param torque what its torque register holds */
  private async judge(servo: Servo, torque: number): Promise<void> {
    servo.trusted = true;
    if (torque === (this.torque ? 1 : 0)) {
      this.counts.retries++;
      return;
    }
    this.counts.returned++;
    this.untrusted = true;
    if (!this.torque) return;
    servo.trusted = await this.setUp(servo).then(
      () => true,
      () => false,
    );
    // Where `setUp` found it: it may have sunk since the last sample.
    servo.held = servo.count;
    this.say(servo, 'came back without its settings; it holds its position and the robot stops');
  }

  private async recover(): Promise<void> {
    for (const servo of this.servos) servo.trusted = false;
    const { wire } = this;
    if (!wire) return;
    await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    if (await wire.line.reopen()) {
      this.unanswered = 0;
      process.stderr.write(`${this.port}: opened anew after silence\n`);
    }
  }

  /** Torque limit, then a goal where it stands, then torque. @throws UserError naming the register that is refused */
  private async setUp(servo: Servo): Promise<void> {
    const { drive, joint } = servo;
    const limit = Math.min(1000, Math.round((1000 * joint.torque_nm) / drive.stall_torque_nm));
    if (!(await this.wire!.write(drive.id, Register.torqueLimit, [low(limit), high(limit)])))
      throw new UserError(
        `${describeServo(this.wire!, servo)}, register ${Register.torqueLimit}: ${limit} is not confirmed; check the cable`,
      );
    [servo.count] = await readWords(this.wire!, drive.id, Register.position, 1);
    if (!(await this.hold(servo)))
      throw new UserError(
        `${describeServo(this.wire!, servo)}, register ${Register.torque}: not confirmed; check the supply`,
      );
  }

  private async hold({ drive, count }: Servo): Promise<boolean> {
    const wire = this.wire!;
    return (
      (await wire.write(drive.id, Register.goalPosition, [low(count), high(count)])) &&
      (await wire.write(drive.id, Register.torque, [1]))
    );
  }

  private say(servo: Servo, what: string): void {
    process.stderr.write(`${describeServo(this.wire!, servo)} ${what}\n`);
  }
}
