import { Random } from '../src/base/random.js';
import {
  ask,
  askToStay,
  type ControlMemory,
  controlStep,
  createControlMemory,
} from '../src/control/controlStep.js';
import type { Robot } from '../src/robot/load.js';
import { type RobotSpec, ticksPerAction } from '../src/robot/spec.js';
import { type BodyMotion, RobotState } from '../src/robot/state.js';
import {
  actionToTargets,
  type EpisodeMemory,
  type LyingPose,
  observationSize,
  type Task,
  targetsToAction,
} from '../src/tasks/task.js';
import { StepWindow } from '../src/tasks/window.js';
import { drop } from './lying.js';
import type { Mujoco } from './mujoco.js';
import { Disturbances, type Randomisation } from './randomise.js';
import { SimRobot } from './simRobot.js';
import { SimulationDiverged } from './simulation.js';

/** Policy periods in which the robot drops onto its feet and comes to rest before an episode begins. */
const SETTLING_PERIODS = 8;

/** Policy periods in which a robot that is to lie falls limp and comes to rest. */
const LYING_PERIODS = 14;

/** How an episode stands after a step. `interrupted`: it was cut by something that is nobody's doing, and its last step is worthless. */
export type Ending = 'none' | 'terminated' | 'truncated' | 'interrupted';

export interface StepResult {
  reward: number;
  ending: Ending;
}

/** The simulator's knowledge of how the base moves, in the shape of an estimate. */
class TrueMotion implements BodyMotion {
  readonly position_m = new Float64Array(3);
  readonly velocity_m_s = new Float64Array(3);

  constructor(private readonly robot: SimRobot) {}

  update(): void {
    if (this.robot.spec.base === 'fixed') return;
    const { qpos, qvel } = this.robot.truth;
    for (let k = 0; k < 3; k++) {
      this.position_m[k] = qpos[k];
      this.velocity_m_s[k] = qvel[k];
    }
  }
}

/**
 * A robot, a task and the control step: one step of the environment is one policy period, in whose
 * every tick the same sensing, safety kernel and drives act as on the robot.
 */
export class Environment {
  readonly observation: Float32Array;
  /** What the last step's action became after the safety kernel. */
  readonly executedAction: Float32Array;
  readonly memory: EpisodeMemory;
  readonly window: StepWindow;
  readonly control: ControlMemory;
  readonly robot: SimRobot;
  readonly spec: RobotSpec;
  /** Policy steps taken in this episode. */
  steps = 0;
  /** Called after each control tick of a step: for whoever shows the robot. */
  onTick: (() => void) | undefined;
  private readonly state: RobotState;
  private readonly truth: TrueMotion;
  private readonly disturbances: Disturbances;
  private readonly targets_rad: Float64Array;
  private readonly from_rad: Float64Array;
  private readonly result: StepResult = { reward: 0, ending: 'none' };
  private readonly ticks: number;

  /** @param episodeSteps policy steps before an episode is truncated; the task's own where not given */
  constructor(
    mj: Mujoco,
    robot: Robot,
    readonly task: Task,
    randomisation: Randomisation,
    private readonly episodeSteps: number = task.episodeSteps,
  ) {
    this.spec = robot.spec;
    this.robot = new SimRobot(mj, robot);
    this.state = RobotState.for(this.spec);
    this.control = createControlMemory(this.spec);
    this.truth = new TrueMotion(this.robot);
    this.disturbances = new Disturbances(this.robot, randomisation);
    const { kernel, estimator } = this.control;
    this.window = new StepWindow(this.spec, this.state, estimator, this.truth, kernel.executed_rad);
    this.memory = task.createMemory();
    this.observation = new Float32Array(observationSize(task.contract));
    this.executedAction = this.memory.action;
    this.targets_rad = new Float64Array(this.spec.joints.length);
    this.from_rad = new Float64Array(this.spec.joints.length);
    this.ticks = ticksPerAction(this.spec);
  }

  /** Starts an episode; everything random in it follows from the seed. */
  reset(seed: number): void {
    const random = new Random(seed);
    const { control, task } = this;
    this.disturbances.begin(Random.stream(seed, 'disturbances'));
    this.steps = 0;
    control.estimator.reset();
    control.kernel.forget();
    if (task.startsLying) this.layDown(task.startsLying(random), seed);
    else this.standUp(random, seed);
    control.estimator.position_m.fill(0);
    this.window.begin();
    task.begin(this.memory, this.window, random);
    task.observe(this.window, this.memory, this.observation);
  }

  /** At home, more or less, on its feet. */
  private standUp(random: Random, seed: number): void {
    const { spec, control } = this;
    const q = spec.joints.map((j) => {
      const [low, high] = j.position_rad;
      return Math.min(high, Math.max(low, j.home_rad + random.uniform(-0.1, 0.1)));
    });
    const base =
      spec.base === 'floating'
        ? { height_m: this.standingHeight_m(q), orientation: [1, 0, 0, 0] }
        : undefined;
    this.robot.reset(Random.stream(seed, 'sensors'), q, base);
    this.sense();
    control.kernel.arm(this.state);
    control.asked_rad.set(control.kernel.executed_rad);
    this.window.reset();
    for (let j = 0; j < spec.joints.length; j++) this.targets_rad[j] = spec.joints[j].home_rad;
    for (let k = 0; k < SETTLING_PERIODS; k++) this.period(this.targets_rad, true);
  }

  /** Dropped without torque, then taken up where it came to lie. */
  private layDown(pose: LyingPose, seed: number): void {
    const { robot, control } = this;
    drop(robot, pose, Random.stream(seed, 'sensors'));
    this.sense();
    for (let k = 0; k < LYING_PERIODS; k++) this.period(this.targets_rad, true);
    control.estimator.reset();
    control.kernel.armForRecovery(this.state);
    askToStay(control, robot.time_s);
    this.window.reset();
    this.period(control.kernel.executed_rad, true);
  }

  /** One policy period under an action of [−1, 1] per joint. The result is reused by the next call. */
  step(action: ArrayLike<number>): StepResult {
    const { task, memory, window, control, result, from_rad } = this;
    from_rad.set(control.kernel.executed_rad);
    actionToTargets(task.contract.action, action, from_rad, this.targets_rad);
    window.begin();
    this.steps++;
    result.reward = 0;
    try {
      this.period(this.targets_rad, false);
    } catch (error) {
      if (!(error instanceof SimulationDiverged)) throw error;
      result.ending = 'interrupted';
      return result;
    }
    memory.previousAction.set(memory.action);
    targetsToAction(task.contract.action, control.kernel.executed_rad, from_rad, memory.action);
    task.observe(window, memory, this.observation);
    result.reward = task.reward(window, memory);
    result.ending = this.ending();
    return result;
  }

  private ending(): Ending {
    const { kernel } = this.control;
    // What latches is sensing that cannot be believed: nothing of the task's, and nothing to learn from.
    if (kernel.latched) return 'interrupted';
    if (this.task.terminated(this.window, this.memory) || kernel.mode === 'damp') return 'terminated';
    return this.steps >= this.episodeSteps ? 'truncated' : 'none';
  }

  /**
   * Control ticks under joint targets that a behaviour asks for: through the safety kernel as ever, but no
   * step of the task, and nothing pushes the robot.
   * @throws SimulationDiverged
   */
  lead(targets_rad: Float64Array, ticks: number): void {
    this.period(targets_rad, true, ticks);
  }

  close(): void {
    this.robot.dispose();
  }

  /** The control ticks of one policy period. */
  private period(targets_rad: Float64Array, settle: boolean, ticks = this.ticks): void {
    const { robot, control } = this;
    ask(control, targets_rad, robot.time_s);
    for (let t = 0; t < ticks; t++) {
      robot.write(controlStep(control, this.state, robot.time_s));
      if (!settle) this.disturbances.tick();
      robot.advance();
      this.sense();
      this.window.tick();
      this.onTick?.();
    }
    robot.simulation.checkWarnings();
  }

  private sense(): void {
    this.robot.read(this.state);
    this.truth.update();
  }

  /** Base height at which the lowest foot just touches the floor. */
  private standingHeight_m(q: readonly number[]): number {
    let lowest = 0;
    for (const leg of this.control.estimator.legs) {
      leg.update(q);
      lowest = Math.min(lowest, leg.tip_m[2]);
    }
    return 0.03 - lowest;
  }
}
