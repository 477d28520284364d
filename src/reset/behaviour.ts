import type { BodyMotion, RobotState } from '../robot/state.js';

/** What a behaviour sees of the robot; memory that is renewed in place before each call. */
export interface View {
  /** On the robot's clock. */
  readonly time_s: number;
  readonly state: RobotState;
  readonly estimate: BodyMotion;
  /** [x, y] from where the robot was started. */
  readonly place_m: ArrayLike<number>;
  /** Targets that the safety kernel executed. */
  readonly executed_rad: Float64Array;
}

export type Progress = 'going' | 'done' | 'failed';

/**
 * A way out of trouble: asked again and again for joint targets until it is done or gives up. It knows
 * no threads and no driver, and asks under the authority of a recovery: the safety kernel limits what
 * it asks for as it does everybody's.
 */
export interface Behaviour {
  /** For people. */
  readonly name: string;
  /** How often it wants to be asked. */
  readonly rate_hz: number;
  begin(view: View): void;
  /** @param targets_rad written to in any case */
  next(view: View, targets_rad: Float64Array): Progress;
}

/** Behaviours that lead along curves are asked this often: more would not be seen in the motion. */
export const CURVE_HZ = 50;
