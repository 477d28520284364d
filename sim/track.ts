import { yaw_rad } from '../src/robot/rotation.js';
import type { Environment } from './environment.js';

/** The end of an episode, over which a robot that had to get up first is judged by its speed. */
const END_S = 3;

/** Where a robot was and looked over the last seconds. */
export class Track {
  /** The oldest first. */
  private readonly poses: { x_m: number; y_m: number; yaw_rad: number }[] = [];

  constructor(private readonly env: Environment) {}

  /** At an episode's begin, and after each of its steps. */
  note(): void {
    const { state, motion } = this.env.window;
    const [x_m, y_m] = motion.position_m;
    this.poses.push({ x_m, y_m, yaw_rad: yaw_rad(state.orientation) });
    if (this.poses.length > 1 + END_S * this.env.spec.rates.policy_hz) this.poses.shift();
  }

  /** Over the last seconds, along where it looked when they began. */
  get speed_mps(): number {
    const [from] = this.poses;
    const to = this.poses[this.poses.length - 1];
    const forward_m =
      Math.cos(from.yaw_rad) * (to.x_m - from.x_m) + Math.sin(from.yaw_rad) * (to.y_m - from.y_m);
    return (forward_m * this.env.spec.rates.policy_hz) / Math.max(1, this.poses.length - 1);
  }

  /** Does an episode that ends now succeed, its last speed included? Undefined for a task that has no such state. */
  get succeeds(): boolean | undefined {
    const { task, window, memory } = this.env;
    return task.succeeded?.(window, memory) && this.speed_mps >= (task.endSpeed_m_s ?? -Infinity);
  }
}
