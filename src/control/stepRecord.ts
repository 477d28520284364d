import type { RobotSpec } from '../robot/spec.js';
import { RobotState } from '../robot/state.js';
import { observationSize, type TaskContract } from '../tasks/task.js';

/** Bits of a step's flags; any of them ends the episode. */
export const StepFlag = {
  /** The task ended: the robot fell, say. */
  terminal: 1,
  /** The episode was long enough. */
  truncated: 2,
  /** Cut by a stop or by failing sensors: what it holds is not for learning. */
  interrupted: 4,
} as const;

/** One policy step, as everybody outside the control worker sees it. */
export interface Step {
  /** End of the step, on the robot's clock. */
  readonly time_s: number;
  readonly episode: number;
  /** Counted from 0 in its episode. */
  readonly step: number;
  readonly reward: number;
  readonly flags: number;
  /** Index in `kernelModes`. */
  readonly mode: number;
  /** Safety events since the control worker started. */
  readonly safetyEvents: number;
  /** Heading at the start of the episode. */
  readonly heading_rad: number;
  /** Number that the policy was handed over under. */
  readonly policy: number;
  /** Index in `authorities` of who commanded: a person where they did so in any part of the step. */
  readonly authority: number;
  /** Estimated position since the start of the episode, and velocity; world frame. */
  readonly position_m: Float64Array;
  readonly velocity_m_s: Float64Array;
  /** The simulator's knowledge of the position; NaN on a real robot. */
  readonly truth_m: Float64Array;
  /** What the policy saw at the start of the step, and what there was to see at its end. */
  readonly observation: Float64Array;
  readonly nextObservation: Float64Array;
  /** What the policy, or the person in its place, asked for, and what the safety kernel made of it. */
  readonly asked: Float64Array;
  readonly executed: Float64Array;
  /** The newest sample at the end of the step, as `RobotState.withoutImage`: the picture is in the observation. */
  readonly state: Float64Array;
}

/** Where the single numbers lie in a record. */
export const StepAt = {
  time_s: 0,
  episode: 1,
  step: 2,
  reward: 3,
  flags: 4,
  mode: 5,
  safetyEvents: 6,
  heading_rad: 7,
  policy: 8,
  authority: 9,
} as const;
const SCALARS = Object.keys(StepAt).length;

/** Where everything lies in a step's record, for one robot and task. */
export class StepLayout {
  readonly fields: number;
  private readonly sizes: readonly (readonly [keyof Step, number])[];

  constructor(spec: RobotSpec, contract: TaskContract) {
    const observation = observationSize(contract);
    const action = spec.joints.length;
    this.sizes = [
      ['position_m', 3],
      ['velocity_m_s', 3],
      ['truth_m', 3],
      ['observation', observation],
      ['nextObservation', observation],
      ['asked', action],
      ['executed', action],
      ['state', RobotState.lengthWithoutImage(spec)],
    ];
    this.fields = this.sizes.reduce((sum, [, size]) => sum + size, SCALARS);
  }

  /** The vectors of a record, as views to write into. */
  vectors(record: Float64Array): StepVectors {
    let at = SCALARS;
    const views = this.sizes.map(([name, size]) => {
      at += size;
      return [name, record.subarray(at - size, at)];
    });
    return Object.fromEntries(views) as StepVectors;
  }

  /** A copy of a record that outlives it. */
  read(record: Float64Array): Step {
    const copy = record.slice();
    const scalars = Object.entries(StepAt).map(([name, at]) => [name, copy[at]]);
    return { ...(Object.fromEntries(scalars) as Omit<Step, keyof StepVectors>), ...this.vectors(copy) };
  }
}

export type StepVectors = Pick<
  Step,
  | 'position_m'
  | 'velocity_m_s'
  | 'truth_m'
  | 'observation'
  | 'nextObservation'
  | 'asked'
  | 'executed'
  | 'state'
>;
