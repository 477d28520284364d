import type { RobotSpec } from '../robot/spec.js';
import { JointCommand, RobotState } from '../robot/state.js';

/** Where the single numbers of a control tick's record lie. */
export const TraceAt = {
  /** When the tick happened, on the robot's clock: the sample had arrived by then. */
  time_s: 0,
  /** Indices in `kernelModes` and `authorities`; 1 + index in `causes` of what latched, or 0. */
  mode: 1,
  authority: 2,
  latched: 3,
  /** Safety events so far. */
  safetyEvents: 4,
} as const;
const SCALARS = Object.keys(TraceAt).length;
const ESTIMATE = 6;

/**
 * One control tick as a recorder gets it: what was sensed, what was commanded, how the base is thought to move. Without
 * the camera's picture, which policy steps have in their observations: at every tick it would be far the most of all.
 */
export class TraceRecord {
  readonly flat: Float64Array;
  readonly state: Float64Array;
  readonly command: Float64Array;
  /** Position and velocity. */
  readonly estimate: Float64Array;

  constructor(spec: RobotSpec) {
    const state = RobotState.lengthWithoutImage(spec);
    const command = JointCommand.length(spec.joints.length);
    this.flat = new Float64Array(TraceRecord.length(spec));
    this.state = this.flat.subarray(SCALARS, SCALARS + state);
    this.command = this.flat.subarray(SCALARS + state, SCALARS + state + command);
    this.estimate = this.flat.subarray(SCALARS + state + command);
  }

  static length(spec: RobotSpec): number {
    return SCALARS + RobotState.lengthWithoutImage(spec) + JointCommand.length(spec.joints.length) + ESTIMATE;
  }
}
