import type { RobotProcess } from './robotProcess.js';

/** How long a person needs to come, s. */
const COMES_S = 1;

/**
 * The simulated person beside a simulated robot, who comes when they are asked: puts it on its feet,
 * resets the kernel and lets it go on. An emergency stop is left to the operator.
 */
export async function putRight(robot: RobotProcess): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1e3 * COMES_S));
  await robot.replace();
  // The operator may have stopped the robot for good in the meantime.
  if (robot.status().latched === 'emergency_stop') return;
  await robot.reset();
  await robot.arm();
}
