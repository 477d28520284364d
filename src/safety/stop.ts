/**
 * Stop categories of IEC 60204-1, 9.2.2. 0: torque off at once. 1: to the stop pose in a controlled
 * motion that knows gravity, then as `stop.afterwards` says. 2: brakes and holds where it is.
 */
export type StopCategory = 0 | 1 | 2;

/** A pose and the time that the way to it takes. */
export interface Waypoint {
  readonly pose_rad: readonly number[];
  readonly seconds: number;
}

/**
 * The way to a stop: from where the joints are through poses, each along a minimum-jerk curve
 * (Flash and Hogan 1985): s(τ) = 10τ³ − 15τ⁴ + 6τ⁵, at rest at both ends.
 */
export class PoseMotion {
  private readonly from: Float64Array;
  private began_s = Number.NaN;

  constructor(private readonly waypoints: readonly Waypoint[]) {
    this.from = new Float64Array(waypoints[0].pose_rad.length);
  }

  begin(from_rad: ArrayLike<number>, now_s: number): void {
    for (let j = 0; j < this.from.length; j++) this.from[j] = from_rad[j];
    this.began_s = now_s;
  }

  /** Writes the pose of this moment. @returns true once the last one is reached */
  pose(now_s: number, out: Float64Array): boolean {
    let left_s = Math.max(0, now_s - this.began_s);
    let leg = 0;
    while (leg < this.waypoints.length - 1 && left_s >= this.waypoints[leg].seconds)
      left_s -= this.waypoints[leg++].seconds;
    const { pose_rad, seconds } = this.waypoints[leg];
    const from = leg === 0 ? this.from : this.waypoints[leg - 1].pose_rad;
    const t = Math.min(1, left_s / seconds);
    const s = t * t * t * (10 + t * (-15 + 6 * t));
    for (let j = 0; j < out.length; j++) out[j] = from[j] + s * (pose_rad[j] - from[j]);
    return leg === this.waypoints.length - 1 && t >= 1;
  }
}
