import { type Authority, authorities } from '../safety/authority.js';

/** What somebody outside the control loop wishes for, flat, as it travels through shared memory. */
export class GuestWish {
  /** [time_s, index in `authorities`, targets in rad] */
  readonly flat: Float64Array;
  /** Joint targets, in `robot.yaml` order. */
  readonly targets_rad: Float64Array;

  constructor(joints: number) {
    this.flat = new Float64Array(GuestWish.length(joints));
    this.targets_rad = this.flat.subarray(2);
    this.forget();
  }

  static length(joints: number): number {
    return 2 + joints;
  }

  /** When it was wished, on the robot's clock. */
  get time_s(): number {
    return this.flat[0];
  }

  isFrom(authority: Authority): boolean {
    return this.flat[1] === authorities.indexOf(authority);
  }

  set(by: Authority, targets_rad: ArrayLike<number>, time_s: number): void {
    this.flat[0] = time_s;
    this.flat[1] = authorities.indexOf(by);
    this.targets_rad.set(targets_rad);
  }

  forget(): void {
    this.flat.fill(0);
    this.flat[0] = Number.NEGATIVE_INFINITY;
  }
}
