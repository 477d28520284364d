import type { Mujoco } from '../../sim/mujoco.js';
import { SimRobot } from '../../sim/simRobot.js';
import { Random } from '../../src/base/random.js';
import type { Robot } from '../../src/robot/load.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { EmulatedServo } from '../feetech/emulatedServo.js';
import { FeetechEmulator } from '../feetech/emulator.js';
import { PseudoTerminal } from '../serial/pseudoTerminal.js';
import { WireFaults } from './faults.js';

const SUPPLY_V = 12;
/** Of battery and cables together. */
const SUPPLY_OHM = 0.15;
/** After a longer stall of the machine time goes on where it was. */
const MOST_BEHIND_S = 0.1;
const POLL_MS = 5;

/**
 * Emulated servos on a pseudo-terminal, with the MuJoCo model of their robot on their shafts. Physics
 * follows the clock: it is brought up to date before each answer.
 */
export class EmulatedArm {
  readonly servos: readonly EmulatedServo[];
  readonly faults: WireFaults;
  /** Name of the bus, for whoever prints it. */
  readonly bus: string;
  private readonly sim: SimRobot;
  private readonly command: JointCommand;
  private readonly sensed: RobotState;
  private readonly emulator: FeetechEmulator;
  private readonly timer: NodeJS.Timeout;
  private terminal: PseudoTerminal | undefined;
  private reached_s = performance.now() / 1e3;

  /** @param link stable name of the port */
  constructor(
    mj: Mujoco,
    private readonly robot: Robot,
    seed: number,
    private readonly link?: string,
  ) {
    const { spec } = robot;
    const bus = spec.bus![0];
    this.bus = bus.name;
    // The wire itself is what is late here, and the encoder's counts are its noise.
    const exact = {
      ...spec.simulation,
      sensor_latency_s: 0,
      command_latency_s: 0,
      position_noise_rad: 0,
      velocity_noise_rad_s: 0,
    };
    this.sim = new SimRobot(mj, { ...robot, spec: { ...spec, simulation: exact } });
    this.sim.reset(
      Random.stream(seed, 'sensors'),
      spec.joints.map((j) => j.home_rad),
    );
    this.command = new JointCommand(spec.joints.length);
    this.command.mode = DriveMode.track;
    this.sensed = RobotState.for(spec);
    this.faults = new WireFaults(seed);
    this.servos = spec.joints.map((joint) => new EmulatedServo(bus.joints[joint.name]));
    this.emulator = new FeetechEmulator(this.servos, this.faults, (bytes) => this.terminal?.write(bytes));
    this.sense(0);
    this.plug();
    this.timer = setInterval(() => this.advance(), POLL_MS);
  }

  get path(): string {
    return this.link ?? this.terminal!.path;
  }

  /** The adapter goes from its socket, and comes back: a port of the same name, if it has one. */
  unplug(): void {
    this.terminal?.close();
    this.terminal = undefined;
  }

  plug(): void {
    this.terminal = new PseudoTerminal(this.link);
    this.terminal.onData = (bytes) => {
      this.advance();
      this.emulator.receive(bytes);
    };
  }

  /** True joint position, rad. */
  position_rad(joint: number): number {
    return this.sensed.position_rad[joint];
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.unplug();
    await this.sim.close();
  }

  private advance(): void {
    const now_s = performance.now() / 1e3;
    const dt_s = 1 / this.robot.spec.rates.control_hz;
    this.reached_s = Math.max(this.reached_s, now_s - MOST_BEHIND_S);
    for (; this.reached_s + dt_s <= now_s; this.reached_s += dt_s) {
      this.drive();
      this.sim.advance();
      this.sense(dt_s);
    }
  }

  /** Each servo's own loop; its torque limit keeps the goal within reach. */
  private drive(): void {
    const { command, servos, sensed } = this;
    this.robot.spec.joints.forEach((joint, j) => {
      const servo = servos[j];
      const { sign, offset_rad, gear_ratio } = this.robot.spec.bus![0].joints[joint.name];
      const goal = servo.goal_rad;
      const on = goal !== undefined;
      command.kp_nm_rad[j] = on ? joint.kp_nm_rad : 0;
      command.kd_nm_s_rad[j] = on ? joint.kd_nm_s_rad : 0;
      if (!on) return;
      const q = sensed.position_rad[j];
      const reach = servo.limit_nm / joint.kp_nm_rad;
      command.position_rad[j] = Math.min(
        q + reach,
        Math.max(q - reach, (sign * goal) / gear_ratio + offset_rad),
      );
    });
    this.sim.write(command);
  }

  private sense(dt_s: number): void {
    const { sensed, servos } = this;
    this.sim.read(sensed);
    const { joints, bus } = this.robot.spec;
    const total_a = joints.reduce(
      (sum, { name }, j) => sum + Math.abs(sensed.torque_nm[j]) / bus![0].joints[name].torque_nm_a,
      0,
    );
    joints.forEach(({ name }, j) => {
      const { sign, offset_rad, gear_ratio } = bus![0].joints[name];
      const shaft = {
        position_rad: sign * (sensed.position_rad[j] - offset_rad) * gear_ratio,
        velocity_rad_s: sign * sensed.velocity_rad_s[j] * gear_ratio,
        torque_nm: sign * sensed.torque_nm[j],
      };
      servos[j].update(shaft, dt_s, SUPPLY_V - SUPPLY_OHM * total_a);
    });
  }
}
