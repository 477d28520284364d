import { Random } from '../src/base/random.js';
import type { LyingPose } from '../src/tasks/task.js';
import type { SimRobot } from './simRobot.js';
import { lowestPoint_m } from './simulation.js';

/** Height that a robot falls from, of its lowest point. */
const DROP_M = 0.03;

/** Puts a robot just above the floor, without torque: it falls into the lying that it is then found in. */
export function drop(robot: SimRobot, { orientation, position_rad }: LyingPose, sensors: Random): void {
  robot.reset(new Random(0), position_rad, { height_m: 0, orientation });
  const height_m = DROP_M - lowestPoint_m(robot.simulation);
  robot.reset(sensors, position_rad, { height_m, orientation });
}
