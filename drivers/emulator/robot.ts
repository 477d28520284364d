import type { Mujoco } from '../../sim/mujoco.js';
import { SimRobot } from '../../sim/simRobot.js';
import { standingHeight_m } from '../../sim/standing.js';
import { UserError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { hasDrives, type JointDrive } from '../../src/robot/busSpec.js';
import type { Robot } from '../../src/robot/load.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { toDrive_rad, toJoint_rad } from '../bus/drive.js';
import { EmulatedPort, emulateLine } from './bus.js';
import type { EmulatedDrive, EmulatedLine } from './drive.js';
import { EmulatedImu } from './imu.js';

const SUPPLY_V = 12;
/** Of battery and cables together, when every drive pushes as hard as it may. */
const SAG_V = 2;
/** After a longer stall of the machine time goes on where it was: no drive takes that for silence. */
const MOST_BEHIND_S = 0.02;
const POLL_MS = 2;

/**
 * A robot's drives and IMU behind pseudo-terminals, with its MuJoCo model on their shafts. Physics
 * follows the clock: it is brought up to date before each answer. It begins as a robot without
 * torque lies: an arm at home, a legged robot in its stop pose.
 */
export class EmulatedRobot {
  /** In the robot's joint order. */
  readonly drives: readonly EmulatedDrive[];
  /** In the order of `robot.yaml`. */
  readonly ports: readonly EmulatedPort[];
  readonly imu: EmulatedImu | undefined;
  private readonly lines: readonly EmulatedLine[];
  private readonly maps: readonly JointDrive[];
  private readonly sim: SimRobot;
  private readonly command: JointCommand;
  private readonly sensed: RobotState;
  private readonly timer: NodeJS.Timeout;
  private reached_s = performance.now() / 1e3;
  /** Where somebody holds the joints, whatever the drives do. */
  private held_rad: readonly number[] | undefined;

  /** @param link stable name of the ports: that of a bus is LINK-BUS */
  constructor(
    mj: Mujoco,
    private readonly robot: Robot,
    seed: number,
    link?: string,
  ) {
    const { spec } = robot;
    if (!spec.bus?.length) throw new UserError(`${robot.path}: has no bus whose drives can be emulated`);
    // The wire itself is what is late here, and the encoders' counts are its noise.
    const exact = {
      ...spec.simulation,
      sensor_latency_s: 0,
      command_latency_s: 0,
      position_noise_rad: 0,
      velocity_noise_rad_s: 0,
    };
    this.sim = new SimRobot(mj, { ...robot, spec: { ...spec, simulation: exact } });
    this.command = new JointCommand(spec.joints.length);
    this.command.mode = DriveMode.track;
    this.sensed = RobotState.for(spec);
    let imu: EmulatedImu | undefined;
    const drives: EmulatedDrive[] = [];
    const maps: JointDrive[] = [];
    const lines: EmulatedLine[] = [];
    this.ports = spec.bus.map((bus) => {
      const port = new EmulatedPort(bus.name, seed, link && `${link}-${bus.name}`);
      if (!hasDrives(bus)) imu = new EmulatedImu(bus, port.faults);
      else {
        const line = emulateLine(spec, bus, port.faults);
        lines.push(line);
        for (const drive of line.drives) {
          const j = spec.joints.indexOf(drive.model.joint);
          drives[j] = drive;
          maps[j] = drive.model.map;
        }
        port.onData = (bytes) => {
          this.advance();
          line.receive(bytes);
        };
      }
      return port;
    });
    this.imu = imu;
    this.drives = drives;
    this.lines = lines;
    this.maps = maps;
    this.place(seed);
    this.timer = setInterval(() => this.advance(), POLL_MS);
  }

  /** All drives on the line of this one, itself included. */
  lineOf(drive: EmulatedDrive): readonly EmulatedDrive[] {
    return this.lines.find((line) => line.drives.includes(drive))!.drives;
  }

  /** What a drive may be called: its joint, BUS:ID, and ID alone where there is one bus of drives. */
  namesOf(drive: EmulatedDrive): readonly string[] {
    const { joint, map } = drive.model;
    const bus = this.robot.spec.bus!.filter(hasDrives).find((b) => joint.name in b.joints)!;
    return [joint.name, `${bus.name}:${map.id}`, ...(this.lines.length === 1 ? [String(map.id)] : [])];
  }

  /** Puts the robot where it began: somebody picks it up. */
  place(seed: number): void {
    const { spec } = this.robot;
    const floating = spec.base === 'floating';
    const pose = floating ? spec.stop.pose_rad : spec.joints.map((j) => j.home_rad);
    const base = { height_m: standingHeight_m(spec, pose), orientation: [1, 0, 0, 0] };
    this.sim.reset(Random.stream(seed, 'sensors'), pose, floating ? base : undefined);
    this.sense(0);
  }

  /**
   * Somebody takes the joints in his hands and brings them to a pose, as for calibration; undefined
   * lets go. Arms alone.
   * @throws UserError where the pose has not one angle for each joint
   */
  hand(pose_rad: readonly number[] | undefined): void {
    const { spec } = this.robot;
    if (spec.base !== 'fixed')
      throw new UserError(`${spec.name}: nobody holds a robot that stands by itself`);
    if (pose_rad && (pose_rad.length !== spec.joints.length || !pose_rad.every(Number.isFinite)))
      throw new UserError(
        `expected ${spec.joints.length} angles, rad: ${spec.joints.map((j) => j.name).join(' ')}`,
      );
    this.held_rad = pose_rad;
    if (pose_rad) this.hold(pose_rad, 0);
  }

  /** True joint position, rad. */
  position_rad(joint: number): number {
    return this.sensed.position_rad[joint];
  }

  /** Where the base is in the world, m: a floating one begins at x = y = 0. */
  get base_m(): readonly [number, number, number] {
    const { qpos } = this.sim.truth;
    return [qpos[0], qpos[1], qpos[2]];
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const port of this.ports) port.unplug();
    await this.sim.close();
  }

  private advance(): void {
    const now_s = performance.now() / 1e3;
    const dt_s = 1 / this.robot.spec.rates.control_hz;
    this.reached_s = Math.max(this.reached_s, now_s - MOST_BEHIND_S);
    for (; this.reached_s + dt_s <= now_s; this.reached_s += dt_s) {
      if (this.held_rad) {
        this.hold(this.held_rad, dt_s);
        continue;
      }
      this.drive();
      this.sim.advance();
      this.sense(dt_s);
    }
  }

  private hold(pose_rad: readonly number[], dt_s: number): void {
    this.sim.reset(Random.stream(0, 'sensors'), pose_rad);
    this.sense(dt_s);
  }

  /** Each drive's own loop, at the joint; its torque limit keeps the goal within reach. */
  private drive(): void {
    const { command, drives, maps, sensed } = this;
    command.flat.fill(0, 2);
    drives.forEach((drive, j) => {
      const { loop } = drive;
      if (!loop) return;
      const { sign, gear_ratio: gear } = maps[j];
      const kp = loop.kp_nm_rad * gear ** 2;
      const q = sensed.position_rad[j];
      const reach = kp > 0 ? (loop.limit_nm * gear) / kp : 0;
      const goal = toJoint_rad(loop.position_rad, maps[j]);
      command.kp_nm_rad[j] = kp;
      command.kd_nm_s_rad[j] = loop.kd_nm_s_rad * gear ** 2;
      command.position_rad[j] = Math.min(q + reach, Math.max(q - reach, goal));
      command.velocity_rad_s[j] = (sign * loop.velocity_rad_s) / gear;
      command.torque_nm[j] = sign * loop.torque_nm * gear;
    });
    this.sim.write(command);
  }

  private sense(dt_s: number): void {
    const { sensed, drives, maps } = this;
    this.sim.read(sensed);
    const { joints } = this.robot.spec;
    const share = joints.reduce((sum, j, i) => sum + Math.abs(sensed.torque_nm[i]) / j.torque_nm, 0);
    const supply_v = SUPPLY_V - (SAG_V * share) / joints.length;
    drives.forEach((drive, j) => {
      const { sign, gear_ratio: gear } = maps[j];
      const shaft = {
        position_rad: toDrive_rad(sensed.position_rad[j], maps[j]),
        velocity_rad_s: sign * sensed.velocity_rad_s[j] * gear,
        torque_nm: (sign * sensed.torque_nm[j]) / gear,
      };
      drive.update(shaft, dt_s, supply_v);
    });
    this.imu?.update(sensed, dt_s);
  }
}
