import { forward_m } from '../src/tasks/task.js';
import type { Environment } from './environment.js';

/** The end of an episode, over which a robot that had to get up first is judged by its speed. */
const END_S = 3;

/** How far a robot went along where it looked, over the last seconds. */
export class Track {
  /** Of each step, the oldest first. */
  private readonly forward_m: number[] = [];

  constructor(private readonly env: Environment) {}

  /** After each step of an episode. */
  note(): void {
    this.forward_m.push(forward_m(this.env.window));
    if (this.forward_m.length > END_S * this.env.spec.rates.policy_hz) this.forward_m.shift();
  }

  /** Forward, as the robot itself has it, however it turned: mean over the last seconds. */
  get speed_mps(): number {
    const sum_m = this.forward_m.reduce((a, b) => a + b, 0);
    return (sum_m * this.env.spec.rates.policy_hz) / Math.max(1, this.forward_m.length);
  }

  /** Does an episode that ends now succeed, its last speed included? Undefined for a task that has no such state. */
  get succeeds(): boolean | undefined {
    const { task, window, memory } = this.env;
    return task.succeeded?.(window, memory) && this.speed_mps >= (task.endSpeed_m_s ?? -Infinity);
  }
}
