import type { RobotSpec } from '../robot/spec.js';
import type { JointCommand, RobotState } from '../robot/state.js';
import { SafetyKernel } from '../safety/kernel.js';
import { BodyEstimator } from './estimator.js';

/** Everything that one control tick leaves for the next. */
export interface ControlMemory {
  readonly spec: RobotSpec;
  readonly kernel: SafetyKernel;
  readonly estimator: BodyEstimator;
  /** Targets that the authority of the moment asks for, rad. */
  readonly asked_rad: Float64Array;
  /** When it last asked, on the robot's clock; −∞ before it ever did. */
  askedAt_s: number;
}

export function createControlMemory(spec: RobotSpec): ControlMemory {
  return {
    spec,
    kernel: new SafetyKernel(spec),
    estimator: new BodyEstimator(spec),
    asked_rad: Float64Array.from(spec.joints, (j) => j.home_rad),
    askedAt_s: Number.NEGATIVE_INFINITY,
  };
}

/** Asks for joint targets; they hold until asked anew or the command watchdog runs out. */
export function ask(memory: ControlMemory, targets_rad: ArrayLike<number>, now_s: number): void {
  for (let j = 0; j < memory.asked_rad.length; j++) memory.asked_rad[j] = targets_rad[j];
  memory.askedAt_s = now_s;
}

/**
 * One tick of the control loop, at `control_hz`: estimate the body's motion, then let the safety
 * kernel make a command of what is asked. The real-time loop and the substeps of training call this
 * same function, so that a policy is trained under the limits that it will meet.
 */
export function controlStep(memory: ControlMemory, state: RobotState, now_s: number): JointCommand {
  memory.estimator.update(state);
  return memory.kernel.step(state, memory.asked_rad, memory.askedAt_s, now_s);
}
