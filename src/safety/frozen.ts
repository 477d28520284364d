import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';

/** A robot whose targets went this far, all joints together, has moved, rad. */
const MOVED_RAD = 0.1;

/**
 * Finds sensors that repeat themselves: readings of a joint, or of the IMU, that stay the same to the
 * last bit for `watchdog.frozen_s` while the robot moves. Age does not show it: a bus that hands out its
 * last sample again and again stamps it anew.
 */
export class Frozen {
  private readonly last: Float64Array;
  /** For each joint, and then the IMU: for how long it has repeated itself. */
  private readonly same_s: Float64Array;
  private readonly moved_rad: Float64Array;
  private readonly targets_rad: Float64Array;
  private last_s = Number.NaN;

  constructor(private readonly spec: RobotSpec) {
    const n = spec.joints.length;
    this.last = new Float64Array(3 * n + 6);
    this.same_s = new Float64Array(n + 1);
    this.moved_rad = new Float64Array(n + 1);
    this.targets_rad = new Float64Array(n);
  }

  reset(): void {
    this.last_s = Number.NaN;
    this.same_s.fill(0);
    this.moved_rad.fill(0);
  }

  /**
   * One tick.
   * @param targets_rad where the joints are led
   * @returns the joint that is frozen; the number of joints for the IMU; −1 where nothing is
   */
  find(state: RobotState, targets_rad: ArrayLike<number>): number {
    const { spec, same_s, moved_rad } = this;
    const n = spec.joints.length;
    // A sample that is there twice is a matter of its age.
    if (state.time_s === this.last_s) return -1;
    const elapsed_s = Math.max(0, state.time_s - this.last_s) || 0;
    this.last_s = state.time_s;
    let all = 0;
    let found = -1;
    for (let j = 0; j < n; j++) {
      const way = Math.abs(targets_rad[j] - this.targets_rad[j]);
      this.targets_rad[j] = targets_rad[j];
      all += way;
      const a = this.differs(3 * j, state.position_rad[j]);
      const b = this.differs(3 * j + 1, state.velocity_rad_s[j]);
      const c = this.differs(3 * j + 2, state.torque_nm[j]);
      this.count(j, a || b || c, way, elapsed_s);
      if (same_s[j] > spec.watchdog.frozen_s && moved_rad[j] > MOVED_RAD) found = j;
    }
    if (!spec.imu) return found;
    let alive = false;
    for (let k = 0; k < 3; k++) {
      const a = this.differs(3 * n + k, state.gyro_rad_s[k]);
      const b = this.differs(3 * n + 3 + k, state.accel_m_s2[k]);
      alive = alive || a || b;
    }
    this.count(n, alive, all, elapsed_s);
    return same_s[n] > spec.watchdog.frozen_s && moved_rad[n] > MOVED_RAD ? n : found;
  }

  private differs(at: number, value: number): boolean {
    if (this.last[at] === value) return false;
    this.last[at] = value;
    return true;
  }

  private count(at: number, alive: boolean, way_rad: number, elapsed_s: number): void {
    this.same_s[at] = alive ? 0 : this.same_s[at] + elapsed_s;
    this.moved_rad[at] = alive ? 0 : this.moved_rad[at] + way_rad;
  }
}
