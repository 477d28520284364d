import { tighten } from '../robot/limits.js';
import { loadRobot, type Robot } from '../robot/load.js';
import type { Launch } from './launch.js';

/**
 * The robot that a launch file names, with the limits that it tightens.
 * @throws UserError where robot.yaml is wrong, or the launch file would loosen a limit
 */
export function robotOf(launch: Launch): Robot {
  const robot = loadRobot(launch.robot);
  return { ...robot, spec: tighten(robot.spec, launch.limits, `${launch.path}: limits`) };
}
