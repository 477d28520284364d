import { Random } from '../../src/base/random.js';
import { ControlLoop } from '../../src/control/controlLoop.js';
import type { Step } from '../../src/control/stepRecord.js';
import type { Bundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import type { Manifest } from '../../src/policy/manifest.js';
import type { Policy } from '../../src/policy/policy.js';
import { Chain } from '../../src/robot/kinematics.js';
import type { Robot } from '../../src/robot/load.js';
import { feetOf, type RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import type { Cause } from '../../src/safety/events.js';
import { createTask } from '../../src/tasks/index.js';
import type { Task } from '../../src/tasks/task.js';
import type { Mujoco } from '../mujoco.js';
import { SimRobot } from '../simRobot.js';
import { CommandCheck } from './invariants.js';
import { PlaceCheck } from './places.js';

/** Drives brake by themselves when no command came for this long. */
const DRIVE_WATCHDOG_S = 0.1;
const SUPPLY_V = 24;

/**
 * A simulated robot at its task, with the control loop of the real one, one tick at a time: between
 * sensors and loop a campaign may change what is sensed, and it sees every command that leaves.
 */
export class Rig {
  readonly spec: RobotSpec;
  readonly sim: SimRobot;
  readonly loop: ControlLoop;
  readonly sample: RobotState;
  /** What the invariants found, first come. */
  readonly violations: string[] = [];
  /** Steps since `begin`. */
  readonly steps: Step[] = [];
  readonly manifest: Manifest;
  now_s = 1;
  /** A policy that asks for no numbers, or for the ends of its range in turn. */
  spoiltPolicy: 'nan' | 'step' | undefined;
  /** Causes in the safety log, as they came. */
  readonly told: Cause[] = [];
  private readonly policy: Policy;
  private readonly check: CommandCheck;
  private readonly places: PlaceCheck;
  private readonly task: Task;
  /** Targets as the last tick left them, and as the running step found them. */
  private readonly executed_rad: Float64Array;
  private readonly from_rad: Float64Array;
  private readonly stored: Float32Array;
  private readonly braking: JointCommand;
  private start_s = 0;
  private silent_s = 0;
  private acts = 0;

  constructor(mj: Mujoco, robot: Robot, task: string, { manifest, onnx, path }: Bundle, seed: number) {
    this.manifest = manifest;
    this.policy = loadPolicy({ manifest, onnx, path });
    const { spec } = robot;
    // What a campaign breaks has to be there; and stops are short, since thousands of them are waited for.
    const stop = { ...spec.stop, stand_s: spec.stop.stand_s && 0.2, seconds: 0.4 };
    this.spec = { ...spec, stop, supply: { low_v: 22, min_v: 18 }, geofence: { side_m: 40 } };
    this.sim = new SimRobot(mj, { ...robot, spec: this.spec });
    this.task = createTask(task, this.spec);
    this.loop = new ControlLoop(this.spec, this.task, 0, seed);
    this.places = new PlaceCheck(this.spec);
    this.executed_rad = new Float64Array(spec.joints.length);
    this.from_rad = new Float64Array(spec.joints.length);
    this.stored = new Float32Array(spec.joints.length);
    this.sample = RobotState.for(this.spec);
    this.check = new CommandCheck(this.spec);
    this.braking = new JointCommand(spec.joints.length);
    this.braking.mode = DriveMode.damp;
    spec.joints.forEach((joint, j) => {
      this.braking.kd_nm_s_rad[j] = joint.kd_nm_s_rad;
    });
  }

  get kernel() {
    return this.loop.control.kernel;
  }

  /** Puts the robot on its feet and begins an episode. */
  begin(seed: number): void {
    const { sim, loop, spec } = this;
    this.start_s = this.now_s + 1;
    const home = spec.joints.map((j) => j.home_rad);
    const legs = feetOf(spec).map((foot) => new Chain(foot, spec));
    for (const leg of legs) leg.update(home);
    const height_m = 0.03 - Math.min(0, ...legs.map((leg) => leg.tip_m[2]));
    sim.reset(
      new Random(seed),
      home,
      spec.base === 'floating' ? { height_m, orientation: [1, 0, 0, 0] } : undefined,
    );
    this.kernel.forget();
    this.spoiltPolicy = undefined;
    this.check.beginAnew();
    this.places.beginAnew();
    this.told.length = 0;
    this.sense();
    loop.state.flat.set(this.sample.flat);
    loop.setPolicy(this.watched(), 1);
    if (!loop.arm(this.now_s)) this.violations.push('a sound robot does not arm');
    for (let t = 0; t < 2 * spec.rates.control_hz && loop.phase !== 'running'; t++) this.tick();
    if (loop.phase !== 'running') this.violations.push('a sound robot does not begin its task');
    this.steps.length = 0;
  }

  /**
   * One tick.
   * @param spoil changes the sample that the loop is about to see
   */
  tick(spoil?: (sample: RobotState) => void, elapsed = 1): void {
    const { loop, sim, sample } = this;
    this.sense();
    spoil?.(sample);
    loop.state.flat.set(sample.flat);
    const command = loop.tick(this.now_s, elapsed);
    if (loop.stepDone) this.takeStep();
    this.executed_rad.set(this.kernel.executed_rad);
    for (const { cause } of this.kernel.events.drain()) this.told.push(cause);
    const age = Math.abs(this.now_s - sample.time_s);
    const believed = age <= this.spec.watchdog.sensor_age_s;
    if (!believed) this.check.beginAnew();
    const fault = this.check.faultIn(command, this.kernel.executed_rad, believed ? sample : undefined);
    if (fault) this.violations.push(fault);
    const { authority } = this.kernel;
    // A stop has a pose of its own to come to, whatever lies on its way.
    if (authority === 'stop') this.places.beginAnew();
    else this.note(this.places.faultIn(this.kernel.executed_rad));
    sim.write(command);
    this.silent_s = 0;
    sim.advance();
  }

  /** A tick in which the loop does not run: the drives repeat their last command, then brake. */
  stall(): void {
    this.silent_s += 1 / this.spec.rates.control_hz;
    if (this.silent_s > DRIVE_WATCHDOG_S) this.sim.write(this.braking);
    this.sim.advance();
  }

  /** Cosine of the angle between the body's z axis and the vertical, as it truly is. */
  get upright(): number {
    if (this.spec.base === 'fixed') return 1;
    const [, , , , x, y] = this.sim.truth.qpos;
    return 1 - 2 * (x * x + y * y);
  }

  close(): void {
    this.sim.dispose();
  }

  private note(violation: string | undefined): void {
    if (violation) this.violations.push(violation);
  }

  /** A step is over: what it stores as its action is what was executed. */
  private takeStep(): void {
    const { loop, task, executed_rad, from_rad, stored } = this;
    const step = loop.layout.read(loop.record);
    const { kind, centre_rad, scale_rad, share } = task.contract.action;
    for (let j = 0; j < stored.length; j++) {
      let moved = executed_rad[j] - (kind === 'delta' ? from_rad[j] : centre_rad[j]);
      if (kind === 'approach') moved += (1 / share! - 1) * (executed_rad[j] - from_rad[j]);
      stored[j] = Math.min(1, Math.max(-1, moved / scale_rad[j]));
    }
    // The first step of an episode began from targets that nobody looked at here.
    const known = kind === 'residual' || step.step > 0;
    if (known && step.executed.some((a, j) => Math.abs(a - stored[j]) > 1e-5))
      this.violations.push('a step stores another action than was executed');
    from_rad.set(executed_rad);
    this.steps.push(step);
  }

  private sense(): void {
    this.now_s = this.start_s + this.sim.time_s;
    if (this.sim.read(this.sample)) this.sample.time_s += this.start_s;
    this.sample.supply_v = SUPPLY_V;
    if (this.spec.base === 'fixed') return;
    const { qpos } = this.sim.truth;
    for (let k = 0; k < 3; k++) this.loop.truth_m[k] = qpos[k];
  }

  private watched(): Policy {
    const { policy } = this;
    return {
      observationSize: policy.observationSize,
      actionSize: policy.actionSize,
      act: (observation, action, explore) => {
        if (this.spoiltPolicy === 'nan') action.fill(Number.NaN);
        else if (this.spoiltPolicy === 'step') action.fill(this.acts++ % 2 === 0 ? 1 : -1);
        else policy.act(observation, action, explore);
      },
      executed: (action) => policy.executed?.(action),
      imagination: policy.imagination,
      surprise: policy.surprise,
      reset: () => policy.reset(),
    };
  }
}
