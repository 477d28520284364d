import type { DriveBusSpec, JointDrive } from '../../src/robot/busSpec.js';
import type { Driver } from '../../src/robot/driver.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, JointCommand, type RobotState } from '../../src/robot/state.js';
import { requireFit } from '../schedule.js';
import { Drive, type Order } from './drive.js';
import { describe, type Family } from './family.js';
import { now_s, Pace } from './pace.js';

/** Without a command for this long the driver brakes; drives that have a watchdog are given the same. */
export const COMMAND_LOST_S = 0.1;
/** The line counts as lost, and is opened anew, after so many cycles without any answer: counted, not timed, since this process may have been kept waiting itself. */
const SILENT_CYCLES = 8;
const REOPEN_MS = 50;

export interface BusOptions<B extends DriveBusSpec = DriveBusSpec> {
  readonly spec: RobotSpec;
  readonly bus: B;
  /** Of `robot.yaml`, for messages. */
  readonly path: string;
  /** Path of the port. */
  readonly port: string;
}

/** The drives that a bus moves, in the order of the robot's joints. */
export function drivesOf<B extends DriveBusSpec>(spec: RobotSpec, bus: B): Drive<B['joints'][string]>[] {
  return spec.joints.flatMap((joint, index) =>
    joint.name in bus.joints ? [new Drive(index, joint, bus.joints[joint.name] as B['joints'][string])] : [],
  );
}

/** Stay where it came back, or where torque came on. */
function holding<Entry extends JointDrive>(drive: Drive<Entry>): Order<Entry> {
  const { kp_nm_rad, kd_nm_s_rad } = drive.joint;
  const position_rad = drive.held_rad ?? drive.began_rad;
  return {
    drive,
    mode: DriveMode.track,
    position_rad,
    velocity_rad_s: 0,
    kp_nm_rad,
    kd_nm_s_rad,
    torque_nm: 0,
  };
}

/**
 * The drives of one bus. The bus runs on the event loop at its own rate; `read` and `write` only hand
 * over. A sample is published when every drive has answered: a gap shows as an old sample, and the
 * safety kernel knows what to do. A drive that comes back without its torque holds its place, and no
 * sample is published until the kernel has stopped the robot.
 */
export class BusDriver<Entry extends JointDrive = JointDrive> implements Driver {
  readonly name: string;
  watchdogTrips = 0;
  /** Times that a drive was silent in a cycle; came back as it was; came back without torque; gave up. */
  readonly counts = { cycles: 0, retries: 0, silent: 0, returned: 0, refused: 0 };
  private readonly command: JointCommand;
  private readonly where: string;
  private readonly rate_hz: number;
  /** What each said last that made it give up. */
  private readonly faults = new WeakMap<Drive<Entry>, string>();
  private time_s = Number.NaN;
  private cycleAt_s = Number.POSITIVE_INFINITY;
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

  constructor(
    { spec, bus, path, port }: BusOptions,
    readonly drives: readonly Drive<Entry>[],
    private readonly family: Family<Entry>,
  ) {
    this.name = bus.protocol;
    this.where = port;
    this.rate_hz = bus.rate_hz;
    this.command = new JointCommand(spec.joints.length);
    requireFit(`${path}: bus "${bus.name}"`, family.schedule, bus.baud, bus.rate_hz);
  }

  async configure(): Promise<void> {
    await this.family.open();
    for (const drive of this.drives) await this.family.check(drive);
  }

  /** Holds every joint where it is, with no more torque than `robot.yaml` allows. */
  async activate(): Promise<void> {
    const ready: Drive<Entry>[] = [];
    for (const drive of this.drives) {
      await this.family.setUp(drive);
      drive.began_rad = drive.position_rad;
      ready.push(drive);
      // Those that hold already are not to think that nobody is there.
      await this.family.cycle(ready.map(holding), ready);
    }
    this.torque = true;
    this.family.hurry(true);
    this.running = true;
    this.finished = this.run();
  }

  /** Writes the joints of this bus, the time and, where known, the supply; the rest is others'. */
  read(into: RobotState): boolean {
    if (!this.fresh) return false;
    this.fresh = false;
    into.time_s = this.time_s;
    if (this.family.supply_v > 0) into.supply_v = this.family.supply_v;
    for (const { index: j, position_rad, velocity_rad_s, torque_nm, temperature_c } of this.drives) {
      into.position_rad[j] = position_rad;
      into.velocity_rad_s[j] = velocity_rad_s;
      into.torque_nm[j] = torque_nm;
      into.temperature_c[j] = temperature_c;
    }
    return true;
  }

  /** What is no number is no command: a drive must not take it for one. */
  write(command: JointCommand): void {
    if (!command.flat.every(Number.isFinite)) return;
    this.command.flat.set(command.flat);
    this.commandAt_s = now_s();
    this.braking = false;
  }

  /** Torque off. Drives that do not confirm are asked three times. */
  async deactivate(): Promise<void> {
    this.running = false;
    await this.finished;
    this.torque = false;
    this.family.hurry(false);
    for (const drive of this.drives) await this.family.release(drive);
  }

  async close(): Promise<void> {
    await this.family.close();
  }

  private async run(): Promise<void> {
    const pace = new Pace(this.rate_hz);
    while (this.running) {
      if (this.unanswered >= SILENT_CYCLES) await this.recover();
      else await this.cycle();
      await pace.wait();
    }
  }

  private async cycle(): Promise<void> {
    const { family, drives } = this;
    this.counts.cycles++;
    // After a pause of this process the drives' own watchdogs may have had enough.
    if (now_s() - this.cycleAt_s > COMMAND_LOST_S) for (const drive of drives) drive.trusted = false;
    this.cycleAt_s = now_s();
    const orders = await this.orders();
    const asked_s = now_s();
    const answered = await family.cycle(orders, drives);
    this.unanswered = answered.size > 0 ? 0 : this.unanswered + 1;
    const time_s = (asked_s + now_s()) / 2;
    this.counts.silent += drives.length - answered.size;
    for (const drive of drives) {
      if (answered.has(drive)) this.heed(drive);
      else drive.trusted = false;
    }
    await this.meetAgain(drives.filter((d) => answered.has(d) && (!d.trusted || this.lostTorque(d))));
    if (answered.size < drives.length || drives.some((d) => !d.trusted)) return;
    // A joint that is not as it was must not be closed around until the kernel has let go.
    if (this.untrusted && this.torque && this.mode === DriveMode.track) return;
    if (this.mode !== DriveMode.track) this.untrusted = false;
    this.time_s = time_s;
    this.fresh = true;
  }

  private get mode(): DriveMode {
    return this.braking ? DriveMode.damp : this.command.mode;
  }

  private lostTorque(drive: Drive<Entry>): boolean {
    return this.torque && drive.on === false && drive.fault === undefined && !this.untrusted;
  }

  /** A drive that has switched itself off: said once, and the robot stops. */
  private heed(drive: Drive<Entry>): void {
    if (drive.fault === undefined) {
      this.faults.delete(drive);
      return;
    }
    this.untrusted = true;
    if (this.faults.get(drive) === drive.fault) return;
    this.faults.set(drive, drive.fault);
    this.counts.refused++;
    this.say(drive, `reports ${drive.fault}; the robot stops`);
  }
  /** Switches torque on and off as the command has it, and says what each drive is to do. */
  private async orders(): Promise<Order<Entry>[]> {
    if (now_s() - this.commandAt_s > COMMAND_LOST_S && !this.braking) {
      this.braking = true;
      this.watchdogTrips++;
    }
    const { command, drives } = this;
    // Until the first command each holds still, as `activate` left it.
    const idle = this.commandAt_s === Number.POSITIVE_INFINITY;
    const on = idle || this.mode !== DriveMode.off;
    if (!on && this.torque) {
      this.torque = false;
      for (const drive of drives) {
        drive.held_rad = undefined;
        if (!(await this.family.release(drive))) drive.trusted = false;
      }
    }
    if (!on) return [];
    if (!this.torque) {
      // Each begins where it is: a goal of long ago may be anywhere.
      for (const drive of drives) if (!(await this.family.hold(drive))) drive.trusted = false;
      this.torque = true;
    }
    return drives.map((drive) => {
      const { joint, index: j } = drive;
      if (drive.held_rad !== undefined || idle) return holding(drive);
      const tracking = this.mode === DriveMode.track;
      return {
        drive,
        mode: this.mode,
        position_rad: tracking ? command.position_rad[j] : drive.position_rad,
        velocity_rad_s: tracking ? command.velocity_rad_s[j] : 0,
        kp_nm_rad: tracking ? command.kp_nm_rad[j] : 0,
        // A brake that nobody commands any more is the joint's own.
        kd_nm_s_rad: this.braking ? joint.kd_nm_s_rad : command.kd_nm_s_rad[j],
        torque_nm: tracking ? command.torque_nm[j] : 0,
      };
    });
  }

  /** Drives that had been silent: just an answer lost, or have they been without power? */
  private async meetAgain(drives: readonly Drive<Entry>[]): Promise<void> {
    if (drives.length === 0) return;
    const torque = await this.family.haveTorque(drives);
    for (const drive of drives) {
      const has = torque.get(drive);
      if (has !== undefined) await this.judge(drive, has);
    }
  }

  private async judge(drive: Drive<Entry>, hasTorque: boolean): Promise<void> {
    drive.trusted = true;
    if (hasTorque === this.torque) {
      this.counts.retries++;
      return;
    }
    this.counts.returned++;
    this.untrusted = true;
    if (!this.torque) {
      drive.trusted = await this.family.release(drive);
      return;
    }
    if (drive.fault !== undefined) return;
    drive.trusted = await this.family.setUp(drive).then(
      () => true,
      () => false,
    );
    // Where `setUp` found it: it may have sunk since the last sample.
    drive.held_rad = drive.position_rad;
    this.say(drive, 'came back without torque; it holds its position and the robot stops');
  }

  private async recover(): Promise<void> {
    for (const drive of this.drives) drive.trusted = false;
    await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    if (await this.family.reopen()) {
      this.unanswered = 0;
      process.stderr.write(`${this.where}: opened anew after silence\n`);
    }
  }

  private say(drive: Drive<Entry>, what: string): void {
    process.stderr.write(`${describe(this.where, drive)} ${what}\n`);
  }
}
