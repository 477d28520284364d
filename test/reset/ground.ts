import { Environment } from '../../sim/environment.js';
import { lead, viewOf } from '../../sim/lead.js';
import { randomisations } from '../../sim/realtimeDriver.js';
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
    return viewOf(this.env);
  }

  /** @returns what became of it within that time */
  lead(behaviour: Behaviour, limit_s: number): Progress {
    return lead(this.env, behaviour, limit_s).progress;
  }
}
