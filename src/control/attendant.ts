import type { RobotProcess } from './robotProcess.js';

/** How long a fallen robot lies before it is picked up: drives have braked it by then. */
const LIES_S = 1;
const LOOK_MS = 100;

/**
 * The simulated person beside a simulated robot: when it has fallen, or its sensing failed, they put
 * it on its feet, reset the kernel and let it go on. An emergency stop is left to the operator.
 * @returns a function that sends the person away
 */
export function attend(robot: RobotProcess, onReplaced: () => void = () => {}): () => void {
  let lying_s = 0;
  let busy = false;
  const timer = setInterval(async () => {
    const { mode, latched } = robot.status();
    const down = mode === 'damp' && latched !== 'emergency_stop';
    lying_s = down ? lying_s + LOOK_MS / 1e3 : 0;
    if (busy || lying_s < LIES_S) return;
    busy = true;
    await robot.replace();
    // The operator may have stopped the robot for good in the meantime.
    if (robot.status().latched !== 'emergency_stop') {
      await robot.reset();
      await robot.arm();
      onReplaced();
    }
    busy = false;
  }, LOOK_MS);
  return () => clearInterval(timer);
}
