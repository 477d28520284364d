import { type Step, StepFlag } from './stepRecord.js';

/**
 * How far the robot got: over every episode, the net displacement along the heading that it started
 * with. Walking in circles adds nothing, and neither does being carried back after a fall.
 */
export class Odometer {
  private finished_m = 0;
  private running_m = 0;
  private episode = -1;
  private readonly start_m = new Float64Array(2);

  add(step: Step): void {
    const truth = !Number.isNaN(step.truth_m[0]);
    const [x, y] = truth ? step.truth_m : step.position_m;
    if (step.episode !== this.episode) {
      this.finished_m += this.running_m;
      this.running_m = 0;
      this.episode = step.episode;
      // The estimate starts at 0 in each episode; where the truth did is known from the first step's end.
      this.start_m[0] = truth ? x - step.position_m[0] : 0;
      this.start_m[1] = truth ? y - step.position_m[1] : 0;
    }
    const c = Math.cos(step.heading_rad);
    const s = Math.sin(step.heading_rad);
    this.running_m = c * (x - this.start_m[0]) + s * (y - this.start_m[1]);
    if (step.flags & StepFlag.interrupted) this.episode = -1;
  }

  get distance_m(): number {
    return this.finished_m + this.running_m;
  }
}
