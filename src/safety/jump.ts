import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';

/** Noise and play may add this much to what speed explains, rad. */
const SLACK_RAD = 0.3;
/** As in the check of velocities: a joint that is thrown turns faster than any target may. */
const VELOCITY_FACTOR = 4;

/** Finds positions that no joint could have come to since the last sample: an encoder that lost count. */
export class Jump {
  private readonly last: Float64Array;
  private last_s = Number.NaN;

  constructor(private readonly spec: RobotSpec) {
    this.last = new Float64Array(spec.joints.length);
  }

  reset(): void {
    this.last_s = Number.NaN;
  }

  /** One sample, whose values are finite. @returns the joint that jumped, or −1 */
  find(state: RobotState): number {
    const elapsed_s = state.time_s - this.last_s;
    let found = -1;
    for (let j = 0; j < this.last.length; j++) {
      const way = Math.abs(state.position_rad[j] - this.last[j]);
      const possible =
        VELOCITY_FACTOR * this.spec.joints[j].velocity_rad_s * Math.max(0, elapsed_s) + SLACK_RAD;
      // Nothing is known before the first sample: NaN is exceeded by nothing.
      if (way > possible) found = j;
      this.last[j] = state.position_rad[j];
    }
    this.last_s = state.time_s;
    return found;
  }
}
