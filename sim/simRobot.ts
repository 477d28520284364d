import { Random } from '../src/base/random.js';
import type { Driver } from '../src/robot/driver.js';
import type { Robot } from '../src/robot/load.js';
import { multiply } from '../src/robot/rotation.js';
import { feetOf, type RobotSpec } from '../src/robot/spec.js';
import { DriveMode, JointCommand, RobotState } from '../src/robot/state.js';
import { added } from './model.js';
import type { Mujoco } from './mujoco.js';
import { RobotCamera } from './robotCamera.js';
import { Simulation } from './simulation.js';

/** MuJoCo's strides: parameters per actuator. */
const PRM = 10;
const AMBIENT_C = 30;

/**
 * A simulated robot: a `Driver` like any hardware. Its drives close their PD loop inside the physics
 * step, as real ones do at tens of kilohertz, and lose torque with speed as motors do; its sensors
 * have noise and latency. Time moves only by `advance`.
 */
export class SimRobot implements Driver {
  readonly name = 'sim';
  readonly simulation: Simulation;
  readonly spec: RobotSpec;
  private readonly qpos: Int32Array;
  private readonly dof: Int32Array;
  private readonly touch: Int32Array;
  /** Body of each object. */
  private readonly objects: Int32Array;
  private readonly accelerometer: number;
  private readonly gyro: number;
  private readonly orientation: number;
  private readonly camera: RobotCamera | undefined;
  /** Ticks from one picture to the next. */
  private readonly ticksPerPicture: number;
  private readonly history: RobotState[];
  private readonly pending: JointCommand[];
  private readonly applied: JointCommand;
  private readonly tilt = new Float64Array(4);
  private readonly measured = new Float64Array(4);
  private ticks = 0;
  private lastRead = -1;
  private random = new Random(0);
  /** Share of sensor noise in force; evaluation and training keep it at 1. */
  noise = 1;

  constructor(mj: Mujoco, robot: Robot) {
    this.spec = robot.spec;
    this.simulation = new Simulation(mj, robot);
    const { simulation: sim, spec } = this;
    const p = sim.parameters;
    const joints = spec.joints.map((j) => sim.id('joint', j.name));
    this.qpos = Int32Array.from(joints, (j) => p.jnt_qposadr[j]);
    this.dof = Int32Array.from(joints, (j) => p.jnt_dofadr[j]);
    const sensor = (name: string) => p.sensor_adr[sim.id('sensor', name)];
    this.touch = Int32Array.from(feetOf(spec), (f) => sensor(added.touch(f.name)));
    this.objects = Int32Array.from(spec.objects, (o) => sim.id('body', added.object(o.name)));
    this.accelerometer = spec.imu ? sensor(added.accelerometer) : -1;
    this.gyro = spec.imu ? sensor(added.gyro) : -1;
    this.orientation = spec.imu ? sensor(added.orientation) : -1;
    const { camera, rates } = spec;
    this.camera = camera && new RobotCamera(mj, sim, camera);
    this.ticksPerPicture = rates.control_hz / (camera?.rate_hz ?? rates.policy_hz);
    const delay = (seconds: number) => Math.round(seconds * rates.control_hz);
    const { sensor_latency_s, command_latency_s } = spec.simulation;
    this.history = Array.from({ length: delay(sensor_latency_s) + 1 }, () => RobotState.for(spec));
    this.pending = Array.from(
      { length: delay(command_latency_s) + 1 },
      () => new JointCommand(spec.joints.length),
    );
    this.applied = new JointCommand(spec.joints.length);
  }

  async configure(): Promise<void> {}
  async activate(): Promise<void> {}
  async deactivate(): Promise<void> {
    for (const command of this.pending) command.mode = DriveMode.off;
  }
  async close(): Promise<void> {
    this.dispose();
  }

  /** Frees MuJoCo's memory. */
  dispose(): void {
    this.camera?.close();
    this.simulation.close();
  }

  /** Seconds since the last `reset`, counted in whole ticks. */
  get time_s(): number {
    return this.ticks / this.spec.rates.control_hz;
  }

  /**
   * Puts the robot into a pose at time zero, drives off, sensors settled.
   * @param q_rad joint positions
   * @param base for a floating base: height of its frame above the floor and its orientation
   */
  reset(
    seed: Random,
    q_rad: ArrayLike<number>,
    base?: { height_m: number; orientation: ArrayLike<number> },
  ): void {
    const { simulation: sim } = this;
    this.random = seed;
    sim.reset();
    // Off before the first forces are computed: nothing of the last episode's gains may be felt.
    for (const command of this.pending) command.flat.fill(0);
    this.applied.kp_nm_rad.fill(Number.NaN);
    this.drive(this.pending[0]);
    const { qpos } = sim.data;
    if (base) {
      qpos[0] = 0;
      qpos[1] = 0;
      qpos[2] = base.height_m;
      for (let k = 0; k < 4; k++) qpos[3 + k] = base.orientation[k];
    }
    for (let j = 0; j < this.qpos.length; j++) qpos[this.qpos[j]] = q_rad[j];
    this.placeObjects();
    sim.forward();
    this.ticks = 0;
    this.lastRead = -1;
    this.camera?.take();
    for (const state of this.history) this.sense(state);
  }

  read(into: RobotState): boolean {
    if (this.lastRead === this.ticks) return false;
    this.lastRead = this.ticks;
    into.flat.set(this.history[(this.ticks + 1) % this.history.length].flat);
    return true;
  }

  write(command: JointCommand): void {
    this.pending[this.ticks % this.pending.length].flat.set(command.flat);
  }

  /** One physics step, of 1 / control_hz. */
  advance(): void {
    this.drive(this.pending[(this.ticks + 1) % this.pending.length]);
    this.simulation.step();
    // What was written in this tick stands until written anew: a drive repeats its last command.
    const written = this.pending[this.ticks % this.pending.length];
    this.ticks++;
    const next = this.pending[this.ticks % this.pending.length];
    if (next !== written) next.flat.set(written.flat);
    if (this.ticks % this.ticksPerPicture === 0) this.camera?.take();
    this.sense(this.history[this.ticks % this.history.length]);
  }

  /** Height of the base and all that only a simulator knows, for rewards and evaluation: world frame, true values. */
  get truth(): { readonly qpos: Float64Array; readonly qvel: Float64Array } {
    return this.simulation.data;
  }

  /** Mechanical power that the drives put out now, W: the sum of |torque × speed|. */
  get power_w(): number {
    const { qvel, actuator_force } = this.simulation.data;
    let power = 0;
    for (let j = 0; j < this.dof.length; j++) power += Math.abs(actuator_force[j] * qvel[this.dof[j]]);
    return power;
  }

  /** Sets the drives of MuJoCo: force = kp (q* − q) + kd (v* − v) + τ, within what the motor has at its speed. */
  private drive(command: JointCommand): void {
    const { data, parameters: p } = this.simulation;
    const { spec, applied } = this;
    for (let j = 0; j < spec.joints.length; j++) {
      const off = command.mode === DriveMode.off;
      const kp = command.mode === DriveMode.track ? command.kp_nm_rad[j] : 0;
      const kd = off ? 0 : command.kd_nm_s_rad[j];
      const bias = off ? 0 : kd * command.velocity_rad_s[j] + command.torque_nm[j];
      // Writing MuJoCo's parameters is cheap, but not free: gains seldom change.
      if (kp !== applied.kp_nm_rad[j] || kd !== applied.kd_nm_s_rad[j] || bias !== applied.torque_nm[j]) {
        p.actuator_gainprm[PRM * j] = kp;
        p.actuator_biasprm[PRM * j] = bias;
        p.actuator_biasprm[PRM * j + 1] = -kp;
        p.actuator_biasprm[PRM * j + 2] = -kd;
        applied.kp_nm_rad[j] = kp;
        applied.kd_nm_s_rad[j] = kd;
        applied.torque_nm[j] = bias;
      }
      data.ctrl[j] = command.position_rad[j];
      const { torque_nm, no_load_speed_rad_s } = spec.joints[j];
      const v = data.qvel[this.dof[j]] / no_load_speed_rad_s;
      p.actuator_forcerange[2 * j] = -torque_nm * Math.min(1, Math.max(0, 2 * (1 + v)));
      p.actuator_forcerange[2 * j + 1] = torque_nm * Math.min(1, Math.max(0, 2 * (1 - v)));
    }
  }

  /** Each thing that can be moved somewhere in its range; what is fixed stays at the low ends. */
  private placeObjects(): void {
    const { simulation: sim, spec, random } = this;
    spec.objects.forEach(({ mass_kg, x_m, y_m }, o) => {
      if (mass_kg === undefined) return;
      const at = sim.parameters.jnt_qposadr[sim.parameters.body_jntadr[this.objects[o]]];
      sim.data.qpos[at] = random.uniform(...x_m);
      sim.data.qpos[at + 1] = random.uniform(...y_m);
    });
  }

  private sense(state: RobotState): void {
    const { data } = this.simulation;
    const { spec, random } = this;
    const n = spec.simulation;
    const noisy = (value: number, deviation: number) => value + this.noise * deviation * random.normal();
    state.time_s = this.time_s;
    for (let j = 0; j < this.qpos.length; j++) {
      state.position_rad[j] = noisy(data.qpos[this.qpos[j]], n.position_noise_rad);
      state.velocity_rad_s[j] = noisy(data.qvel[this.dof[j]], n.velocity_noise_rad_s);
      state.torque_nm[j] = data.actuator_force[j];
      state.temperature_c[j] = AMBIENT_C;
    }
    if (spec.imu) {
      for (let k = 0; k < 3; k++) {
        state.accel_m_s2[k] = noisy(data.sensordata[this.accelerometer + k], n.accel_noise_m_s2);
        state.gyro_rad_s[k] = noisy(data.sensordata[this.gyro + k], n.gyro_noise_rad_s);
      }
      for (let k = 0; k < 4; k++) this.measured[k] = data.sensordata[this.orientation + k];
      this.tilt[0] = 1;
      for (let k = 1; k < 4; k++) this.tilt[k] = noisy(0, n.orientation_noise_rad / 2);
      multiply(this.measured, this.tilt, state.orientation);
      const o = state.orientation;
      const norm = Math.sqrt(o[0] * o[0] + o[1] * o[1] + o[2] * o[2] + o[3] * o[3]);
      for (let k = 0; k < 4; k++) o[k] /= norm;
    }
    for (let f = 0; f < this.touch.length; f++) state.footForce_n[f] = data.sensordata[this.touch[f]];
    for (let o = 0; o < this.objects.length; o++)
      for (let k = 0; k < 3; k++) state.object_m[3 * o + k] = data.xpos[3 * this.objects[o] + k];
    if (this.camera) state.image.set(this.camera.image);
  }
}
