import type { RobotSpec } from '../robot/spec.js';

/**
 * The low-pass on targets, which is the jerk limit too: each target is the mean of the last few. A mean
 * of positions inside the range is inside the range, and so are its speed and acceleration inside
 * their limits; its acceleration changes by no more than 2a in the length of the window.
 */
export class Smoothing {
  private readonly history: Float64Array;
  /** Ticks in each joint's window. */
  private readonly window: Int32Array;
  private readonly capacity: number;
  private at = 0;

  constructor(private readonly spec: RobotSpec) {
    const dt_s = 1 / spec.rates.control_hz;
    this.window = Int32Array.from(spec.joints, (joint) =>
      Math.ceil((2 * joint.acceleration_rad_s2) / (joint.jerk_rad_s3 * dt_s) - 1e-9),
    );
    this.capacity = Math.max(...this.window);
    this.history = new Float64Array(this.capacity * spec.joints.length);
  }

  /** Begins anew, at rest. */
  reset(targets_rad: ArrayLike<number>): void {
    const n = this.window.length;
    for (let i = 0; i < this.history.length; i++) this.history[i] = targets_rad[i % n];
  }

  /** @param targets [target, target velocity] of each joint; @param out means, inside the position range */
  next(targets: Float64Array, out_rad: Float64Array): void {
    const { spec, history, capacity, window } = this;
    const n = window.length;
    for (let j = 0; j < n; j++) {
      history[this.at * n + j] = targets[2 * j];
      let total = 0;
      for (let k = 0; k < window[j]; k++) total += history[((this.at - k + capacity) % capacity) * n + j];
      const low = spec.joints[j].position_rad[0];
      const high = spec.joints[j].position_rad[1];
      // Only rounding can put it outside.
      out_rad[j] = Math.min(high, Math.max(low, total / window[j]));
    }
    this.at = (this.at + 1) % capacity;
  }
}
