/**
 * What a page is sent sixty times a second: the robot at one moment, as float64 little-endian with
 * nothing around it, so that a phone copies it into its pictures without parsing. The layout follows
 * from the numbers of joints and feet, which `Hello` names. Server and page share this file.
 */
export class Frame {
  readonly flat: Float64Array;
  /** [robot's clock in s, supply in V, 1 where the base's position is a simulator's truth and not an estimate] */
  readonly scalars: Float64Array;
  /** Of the base, world frame. */
  readonly position_m: Float64Array;
  readonly velocity_m_s: Float64Array;
  /** Body to world, (w, x, y, z). */
  readonly orientation: Float64Array;
  readonly gyro_rad_s: Float64Array;
  readonly accel_m_s2: Float64Array;
  /** Of the joints, in `robot.yaml` order. `target_rad`: what the safety kernel sends to the drives. */
  readonly position_rad: Float64Array;
  readonly target_rad: Float64Array;
  readonly jointVelocity_rad_s: Float64Array;
  readonly torque_nm: Float64Array;
  readonly temperature_c: Float64Array;
  readonly footForce_n: Float64Array;

  constructor(joints: number, feet: number, flat = new Float64Array(Frame.length(joints, feet))) {
    if (flat.length !== Frame.length(joints, feet))
      throw new RangeError(`a frame of ${flat.length} numbers, expected ${Frame.length(joints, feet)}`);
    this.flat = flat;
    let at = 0;
    const take = (n: number) => {
      at += n;
      return flat.subarray(at - n, at);
    };
    this.scalars = take(3);
    this.position_m = take(3);
    this.velocity_m_s = take(3);
    this.orientation = take(4);
    this.gyro_rad_s = take(3);
    this.accel_m_s2 = take(3);
    this.position_rad = take(joints);
    this.target_rad = take(joints);
    this.jointVelocity_rad_s = take(joints);
    this.torque_nm = take(joints);
    this.temperature_c = take(joints);
    this.footForce_n = take(feet);
  }

  static length(joints: number, feet: number): number {
    return 19 + 5 * joints + feet;
  }

  get time_s(): number {
    return this.scalars[0];
  }
}
