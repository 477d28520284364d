import { type RobotSpec, ticksPerAction } from '../robot/spec.js';
import type { JointCommand, RobotState } from '../robot/state.js';
import { SafetyKernel } from '../safety/kernel.js';
import { BodyEstimator } from './estimator.js';

/** Everything that one control tick leaves for the next. */
export interface ControlMemory {
  readonly spec: RobotSpec;
  readonly kernel: SafetyKernel;
  readonly estimator: BodyEstimator;
  /** Targets that the authority of the moment asks for, rad. */
  readonly wanted_rad: Float64Array;
  /** Where the way to them stands at this tick: what the kernel is asked. */
  readonly asked_rad: Float64Array;
  /** Ticks left on that way. */
  rampTicks: number;
  /** When it last asked, on the robot's clock; −∞ before it ever did. */
  askedAt_s: number;
}

export function createControlMemory(spec: RobotSpec): ControlMemory {
  return {
    spec,
    kernel: new SafetyKernel(spec),
    estimator: new BodyEstimator(spec),
    wanted_rad: Float64Array.from(spec.joints, (j) => j.home_rad),
    rampTicks: 0,
    asked_rad: Float64Array.from(spec.joints, (j) => j.home_rad),
    askedAt_s: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Asks for joint targets. The joints are led there in a straight line over `rates.ramp` of a policy
 * period, since a step of the target is a blow to the gears; they hold until asked anew or the
 * command watchdog runs out.
 */
export function ask(memory: ControlMemory, targets_rad: ArrayLike<number>, now_s: number): void {
  const { spec, wanted_rad } = memory;
  for (let j = 0; j < wanted_rad.length; j++) wanted_rad[j] = targets_rad[j];
  memory.rampTicks = Math.max(1, Math.round(spec.rates.ramp * ticksPerAction(spec)));
  memory.askedAt_s = now_s;
}

/**
 * What is asked begins anew where the targets are: for an authority that takes over, and for a robot
 * that is taken up where it lies.
 */
export function askToStay(memory: ControlMemory, now_s: number): void {
  memory.asked_rad.set(memory.kernel.executed_rad);
  memory.wanted_rad.set(memory.kernel.executed_rad);
  memory.rampTicks = 0;
  memory.askedAt_s = now_s;
}

/** Moves what is asked one tick along its line. */
function ramp(memory: ControlMemory): void {
  const { asked_rad, wanted_rad, rampTicks } = memory;
  if (rampTicks === 0) return;
  for (let j = 0; j < asked_rad.length; j++) {
    // The end is set, not added up to: a wish that was no number must not stay in the sum for ever.
    if (rampTicks === 1) asked_rad[j] = wanted_rad[j];
    else asked_rad[j] += (wanted_rad[j] - asked_rad[j]) / rampTicks;
  }
  memory.rampTicks--;
}

/**
 * One tick of the control loop, at `control_hz`: estimate the body's motion, then let the safety
 * kernel make a command of what is asked. The real-time loop and the substeps of training call this
 * same function, so that a policy is trained under the limits that it will meet.
 */
export function controlStep(memory: ControlMemory, state: RobotState, now_s: number): JointCommand {
  memory.estimator.update(state);
  ramp(memory);
  return memory.kernel.step(state, memory.asked_rad, memory.askedAt_s, now_s);
}
