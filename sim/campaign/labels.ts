import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import { uprightness } from '../../src/robot/rotation.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { RobotState } from '../../src/robot/state.js';
import { kernelModes } from '../../src/safety/kernel.js';
import type { FaultKind } from './faults.js';

/** A step that ends with the body within this of the task's limit may be either. */
const MARGIN = 0.05;
const TIPPED = Math.cos(Math.PI / 6);

/** Whether a transition is what it is marked as. @returns what is wrong with it, or undefined */
export function labelFault(step: Step, spec: RobotSpec, fault: FaultKind): string | undefined {
  const terminal = (step.flags & StepFlag.terminal) !== 0;
  const truncated = (step.flags & StepFlag.truncated) !== 0;
  const interrupted = (step.flags & StepFlag.interrupted) !== 0;
  if (Number(terminal) + Number(truncated) + Number(interrupted) > 1) return `flags ${step.flags} at once`;
  const mode = kernelModes[step.mode];
  const stopped = mode !== 'run' && mode !== 'hold';
  const state = RobotState.for(spec);
  state.flat.set(step.state);
  const upright = spec.base === 'fixed' ? 1 : uprightness(state.orientation);
  if (stopped && !interrupted && !(terminal && mode === 'damp'))
    return `a step cut by a stop is marked ${step.flags}`;
  if (terminal && upright > TIPPED + MARGIN) return `terminal, but upright (${upright}) under ${fault}`;
  if (interrupted) return undefined;
  if (!terminal && upright < TIPPED - MARGIN) return `tipped (${upright}), but not terminal`;
  for (const values of [step.observation, step.nextObservation, step.asked, step.executed, [step.reward]])
    if (!Array.prototype.every.call(values, Number.isFinite))
      return fault === 'command_nan' ? undefined : 'a number that is none';
  return undefined;
}
