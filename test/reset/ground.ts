import { Environment } from '../../sim/environment.js';
import { randomisations } from '../../sim/realtimeDriver.js';
import { ask, controlStep } from '../../src/control/controlStep.js';
import type { Behaviour, Progress, View } from '../../src/reset/behaviour.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import type { LyingPose } from '../../src/tasks/task.js';
import { mujoco } from '../sim/support.js';

/** A simulated robot that a behaviour leads, in simulated time and through the safety kernel. */
export class Ground {
  private constructor(readonly env: Environment) {}

  /** @param lying how the quadruped lies; drawn by the seed where not given */
  static async of(robotName: string, taskName: string, lying?: LyingPose): Promise<Ground> {
    const robot = loadRobot(robotName);
    const task = createTask(taskName, robot.spec);
    const placed = lying ? { ...task, startsLying: () => lying } : task;
    return new Ground(new Environment(await mujoco(), robot, placed, randomisations.none));
  }

  get view(): View {
    const { env } = this;
    const { kernel, estimator } = env.control;
    return {
      time_s: env.robot.time_s,
      state: env.window.state,
      estimate: estimator,
      place_m: env.window.motion.position_m,
      executed_rad: kernel.executed_rad,
    };
  }

  /** @returns what became of it within that time */
  lead(behaviour: Behaviour, limit_s: number): Progress {
    const { env } = this;
    const { robot, control, spec } = env;
    const targets_rad = new Float64Array(spec.joints.length);
    const ticks = Math.round(spec.rates.control_hz / behaviour.rate_hz);
    const end_s = robot.time_s + limit_s;
    behaviour.begin(this.view);
    while (robot.time_s < end_s) {
      const progress = behaviour.next(this.view, targets_rad);
      if (progress !== 'going') return progress;
      ask(control, targets_rad, robot.time_s);
      for (let t = 0; t < ticks; t++) {
        robot.write(controlStep(control, env.window.state, robot.time_s));
        robot.advance();
        robot.read(env.window.state);
        env.window.tick();
      }
      this.follow();
    }
    return 'going';
  }

  /** Brings the true motion up to date, as a step of the environment does. */
  private follow(): void {
    const { qpos } = this.env.robot.truth;
    if (this.env.spec.base === 'floating')
      for (let k = 0; k < 3; k++) this.env.window.motion.position_m[k] = qpos[k];
  }
}
