import { Random } from '../src/base/random.js';
import type { HostedDriver } from '../src/control/hostedDriver.js';
import { loadRobot, type Robot } from '../src/robot/load.js';
import { type BodyMotion, DriveMode, JointCommand, type RobotState } from '../src/robot/state.js';
import { drawLying } from '../src/tasks/lying.js';
import { drop } from './lying.js';
import { loadMujoco, type Mujoco } from './mujoco.js';
import {
  Disturbances,
  evaluationRandomisation,
  type Randomisation,
  trainingRandomisation,
} from './randomise.js';
import { SimRobot } from './simRobot.js';
import { SimulationDiverged } from './simulation.js';
import { standingHeight_m } from './standing.js';

/** How a launch file names what the simulated world varies. */
export const randomisations: Readonly<Record<'none' | 'evaluation' | 'training', Randomisation>> = {
  none: { friction: [0.9, 0.9], payload_kg: [0, 0], push_m_s: [0, 0], pushEvery_s: [1, 1] },
  evaluation: evaluationRandomisation,
  training: trainingRandomisation,
};

export interface SimDriverOptions {
  /** Name or path, as `loadRobot` takes it. */
  readonly robot: string;
  readonly seed: number;
  readonly randomisation: keyof typeof randomisations;
  /** How a legged robot is found; whoever puts it back puts it on its feet. */
  readonly start?: 'standing' | 'lying';
}

/** Simulated drives brake when no command came for this long, as drives on a bus do. */
const DRIVE_WATCHDOG_S = 0.1;
/**
 * Periods that are made up for when this thread was late. Physics waits for nobody, so a late driver
 * must catch up; but after a longer stall of the whole machine time goes on where it was, since
 * that is no fault that a robot could have.
 */
const MOST_CAUGHT_UP = 10;
/** A cycle may come this much before its time, in periods, since the first one came late by as much. */
const EARLY_PERIODS = 0.25;
/** The base starts this far above the floor, m. */
const CLEARANCE_M = 0.005;

/** For the driver worker. */
export async function createDriver(options: SimDriverOptions): Promise<HostedDriver> {
  return new RealtimeSimRobot(await loadMujoco(), loadRobot(options.robot), options);
}

/**
 * A simulated robot whose time is the clock's: the `SimRobot` of training, with the same latencies,
 * stepped once in every control period of real time.
 */
class RealtimeSimRobot implements HostedDriver {
  readonly name = 'sim';
  readonly simulated = true;
  watchdogTrips = 0;
  readonly truth: BodyMotion | undefined;
  private readonly sim: SimRobot;
  private readonly disturbances: Disturbances;
  private readonly braking: JointCommand;
  private readonly period_s: number;
  private replacements = 0;
  /** Where the world was when the last command came; the watchdog is set by the first. */
  private written_s = Number.NaN;
  private tripped = false;
  /** What the simulated world has reached, on the robot's clock. */
  private simulated_s = Number.NaN;

  constructor(
    mj: Mujoco,
    robot: Robot,
    private readonly options: SimDriverOptions,
  ) {
    const { spec } = robot;
    this.sim = new SimRobot(mj, robot);
    this.disturbances = new Disturbances(this.sim, randomisations[options.randomisation]);
    this.period_s = 1 / spec.rates.control_hz;
    this.braking = new JointCommand(spec.joints.length);
    this.braking.mode = DriveMode.damp;
    spec.joints.forEach((joint, j) => {
      this.braking.kd_nm_s_rad[j] = joint.kd_nm_s_rad;
    });
    if (spec.base === 'floating')
      this.truth = { position_m: new Float64Array(3), velocity_m_s: new Float64Array(3) };
  }

  async configure(): Promise<void> {
    const { seed, start } = this.options;
    this.replace();
    if (start === 'lying')
      drop(this.sim, drawLying(this.sim.spec, Random.stream(seed, 'lying')), Random.stream(seed, 'sensors'));
  }

  /** Torque on, holding still. */
  async activate(): Promise<void> {
    const { spec } = this.sim;
    const hold = new JointCommand(spec.joints.length);
    hold.mode = DriveMode.track;
    spec.joints.forEach((joint, j) => {
      hold.position_rad[j] = joint.home_rad;
      hold.kp_nm_rad[j] = joint.kp_nm_rad;
      hold.kd_nm_s_rad[j] = joint.kd_nm_s_rad;
    });
    this.sim.write(hold);
  }

  cycle(now_s: number): void {
    if (Number.isNaN(this.simulated_s)) this.simulated_s = now_s - this.period_s;
    // The world's grid keeps the phase that the first cycle had; an early one by a little counts as in time.
    const behind = Math.floor((now_s - this.simulated_s) / this.period_s + EARLY_PERIODS);
    if (behind > MOST_CAUGHT_UP) this.simulated_s += (behind - MOST_CAUGHT_UP) * this.period_s;
    for (let i = 0; i < Math.min(behind, MOST_CAUGHT_UP); i++) this.step();
    try {
      this.sim.simulation.checkWarnings();
    } catch (error) {
      if (!(error instanceof SimulationDiverged)) throw error;
      process.stderr.write(`sim: ${error.message}; the robot is put back on its feet\n`);
      this.replace();
    }
    if (!this.truth) return;
    const { qpos, qvel } = this.sim.truth;
    for (let k = 0; k < 3; k++) {
      this.truth.position_m[k] = qpos[k];
      this.truth.velocity_m_s[k] = qvel[k];
    }
  }

  private step(): void {
    if (this.simulated_s - this.written_s > DRIVE_WATCHDOG_S) {
      if (!this.tripped) this.watchdogTrips++;
      this.tripped = true;
      this.sim.write(this.braking);
    }
    this.disturbances.tick();
    this.sim.advance();
    this.simulated_s += this.period_s;
  }

  /** Stamped with the moment at which the sensors measured, which is their latency ago. */
  read(into: RobotState): boolean {
    if (!this.sim.read(into)) return false;
    into.time_s = this.simulated_s - this.sim.spec.simulation.sensor_latency_s;
    return true;
  }

  write(command: JointCommand): void {
    this.sim.write(command);
    this.written_s = this.simulated_s;
    this.tripped = false;
  }

  /** Stands at home, drives off, where the world began; each time in another draw of the world's randomisation. */
  replace(): void {
    const { spec } = this.sim;
    const draw = this.replacements++;
    const home = spec.joints.map((j) => j.home_rad);
    const base = { height_m: CLEARANCE_M + standingHeight_m(spec, home), orientation: [1, 0, 0, 0] };
    this.disturbances.begin(Random.stream(this.options.seed, 'disturbances', draw));
    this.sim.reset(
      Random.stream(this.options.seed, 'sensors', draw),
      home,
      spec.base === 'floating' ? base : undefined,
    );
  }

  async deactivate(): Promise<void> {
    await this.sim.deactivate();
  }

  async close(): Promise<void> {
    await this.sim.close();
  }
}
