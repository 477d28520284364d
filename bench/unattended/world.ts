import type { Mujoco } from '../../sim/mujoco.js';
import { Disturbances, evaluationRandomisation } from '../../sim/randomise.js';
import { SimRobot } from '../../sim/simRobot.js';
import { standingHeight_m } from '../../sim/standing.js';
import { Random } from '../../src/base/random.js';
import { ControlLoop } from '../../src/control/controlLoop.js';
import type { ResetReport } from '../../src/control/resetReport.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import type { Policy } from '../../src/policy/policy.js';
import type { View } from '../../src/reset/behaviour.js';
import { Recovery, type RecoveryOptions } from '../../src/reset/recovery.js';
import type { Condition } from '../../src/reset/trouble.js';
import type { Robot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';

const CLEARANCE_M = 0.005;
/** As in the supervisor of the robot process. */
const DOES_WELL_S = 2;

export interface WorldOptions extends RecoveryOptions {
  readonly task: string;
  readonly seed: number;
  /** Each episode is to begin at home. */
  readonly homeAfterEpisode: boolean;
  readonly onStep: (step: Step) => void;
  readonly onReset: (report: ResetReport) => void;
}

/**
 * A simulated robot that nobody touches again once it has begun: the control loop and the recoveries of the
 * real one, one tick after the other, as fast as they can be computed.
 */
export class World {
  readonly loop: ControlLoop;
  /** Furthest outside of the fence so far, m. */
  outside_m = 0;
  private readonly sim: SimRobot;
  private readonly disturbances: Disturbances;
  private readonly recovery: Recovery;
  private readonly view: { -readonly [K in keyof View]: View[K] };
  private lookAt_s = 0;

  constructor(
    mj: Mujoco,
    private readonly robot: Robot,
    private readonly options: WorldOptions,
  ) {
    const { spec } = robot;
    this.sim = new SimRobot(mj, robot);
    this.disturbances = new Disturbances(this.sim, evaluationRandomisation);
    this.loop = new ControlLoop(spec, createTask(options.task, spec), 1, options.seed);
    const { loop, sim } = this;
    const { kernel, estimator } = loop.control;
    this.view = {
      time_s: 0,
      state: loop.state,
      estimate: estimator,
      place_m: kernel.place_m,
      executed_rad: kernel.executed_rad,
    };
    this.recovery = new Recovery(spec, options, {
      takeOver: () => loop.takeOver('recovery', sim.time_s),
      lead: (targets_rad) => loop.guest.set('recovery', targets_rad, sim.time_s),
      release: () => loop.release(sim.time_s),
      stop: () => kernel.requestStop(sim.time_s),
      tell: options.onReset,
    });
  }

  get time_s(): number {
    return this.sim.time_s;
  }

  /** Puts the robot down at home, once. */
  begin(policy: Policy): void {
    const { sim, robot, options, loop } = this;
    const home = robot.spec.joints.map((j) => j.home_rad);
    const base = { height_m: CLEARANCE_M + standingHeight_m(robot.spec, home), orientation: [1, 0, 0, 0] };
    this.disturbances.begin(Random.stream(options.seed, 'disturbances'));
    const floating = robot.spec.base === 'floating';
    sim.reset(Random.stream(options.seed, 'sensors'), home, floating ? base : undefined);
    sim.read(loop.state);
    loop.setPolicy(policy, 1);
    loop.arm(sim.time_s);
  }

  tick(): void {
    const { sim, loop } = this;
    sim.read(loop.state);
    if (this.robot.spec.base === 'floating') for (let k = 0; k < 3; k++) loop.truth_m[k] = sim.truth.qpos[k];
    if (sim.time_s >= this.lookAt_s) this.look();
    sim.write(loop.tick(sim.time_s, 1));
    if (loop.stepDone) this.see(loop.layout.read(loop.record));
    this.disturbances.tick();
    sim.advance();
  }

  close(): void {
    this.sim.dispose();
  }

  private look(): void {
    const { loop, recovery, view } = this;
    const { kernel } = loop.control;
    const condition: Condition = {
      mode: kernel.mode,
      authority: kernel.authority,
      latched: kernel.latched,
      awaits_recovery: kernel.awaitsRecovery,
      policy: 1,
    };
    view.time_s = this.sim.time_s;
    recovery.next(view, condition);
    this.lookAt_s += recovery.period_s;
    const { geofence } = this.robot.spec;
    if (geofence && Number.isFinite(kernel.place_m[0]))
      this.outside_m = Math.max(
        this.outside_m,
        ...[...kernel.place_m].map((x) => Math.abs(x) - geofence.side_m / 2),
      );
  }

  private see(step: Step): void {
    if (this.options.homeAfterEpisode && step.flags & StepFlag.truncated) this.recovery.episodeOver();
    if (step.step > DOES_WELL_S * this.robot.spec.rates.policy_hz) this.recovery.doesWell();
    this.options.onStep(step);
  }
}
