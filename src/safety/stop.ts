/**
 * The way to a stop pose: from where the joints are, along a minimum-jerk curve
 * (Flash and Hogan 1985): s(τ) = 10τ³ − 15τ⁴ + 6τ⁵, at rest at both ends.
 */
export class StopMotion {
  private readonly from: Float64Array;
  private began_s = Number.NaN;

  constructor(
    private readonly pose_rad: readonly number[],
    private readonly seconds: number,
  ) {
    this.from = new Float64Array(pose_rad.length);
  }

  begin(from_rad: ArrayLike<number>, now_s: number): void {
    for (let j = 0; j < this.from.length; j++) this.from[j] = from_rad[j];
    this.began_s = now_s;
  }

  /** Writes the pose of this moment. @returns true once the end is reached */
  pose(now_s: number, out: Float64Array): boolean {
    const t = Math.min(1, Math.max(0, (now_s - this.began_s) / this.seconds));
    const s = t * t * t * (10 + t * (-15 + 6 * t));
    for (let j = 0; j < out.length; j++) out[j] = this.from[j] + s * (this.pose_rad[j] - this.from[j]);
    return t >= 1;
  }
}
