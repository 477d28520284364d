import type { RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, type JointCommand, type RobotState } from '../../src/robot/state.js';

/** What a command must never be, checked with nothing of the kernel's but the limits of robot.yaml. */
const ROUNDING = 1e-6;
/** Of a drive that is too hot, or whose supply is too weak, no more than this share of its torque may be asked. */
const SPENT_SHARE = 0.4;
/** A joint that pushes with this share of its torque, slower than this share of its limit, pushes in vain. */
const PUSHES = 0.95;
const STILL = 0.01;
/** Speed and torque that count are smoothed over about this long, s: noise is no motion. */
const SMOOTHED_S = 0.04;
/** Longer than `contact.seconds` by this, s: the kernel smooths too. */
const LATER_S = 0.1;

export class CommandCheck {
  private readonly last: Float64Array;
  private readonly lastVelocity: Float64Array;
  private readonly lastChange: Float64Array;
  private readonly pushes_s: Float64Array;
  private readonly speed: Float64Array;
  private readonly torque: Float64Array;
  /** Ticks of targets that the last velocity rests on. */
  private known = 0;
  private readonly dt_s: number;

  constructor(private readonly spec: RobotSpec) {
    this.last = new Float64Array(spec.joints.length);
    this.lastVelocity = new Float64Array(spec.joints.length);
    this.lastChange = new Float64Array(spec.joints.length);
    this.pushes_s = new Float64Array(spec.joints.length);
    this.speed = new Float64Array(spec.joints.length);
    this.torque = new Float64Array(spec.joints.length);
    this.dt_s = 1 / spec.rates.control_hz;
  }

  /** Targets begin anew: the robot was taken up, or froze its targets for want of a sample. */
  beginAnew(): void {
    this.known = 0;
  }

  /**
   * @param executed_rad targets before the torque limit
   * @param believed what the kernel took the joints to do; undefined where it had nothing to believe
   * @returns what is wrong with it, or undefined
   */
  faultIn(
    command: JointCommand,
    executed_rad: Float64Array,
    believed: RobotState | undefined,
  ): string | undefined {
    const { spec } = this;
    if (command.mode !== DriveMode.track) this.known = 0;
    let power_w = 0;
    for (let j = 0; j < spec.joints.length; j++) {
      const joint = spec.joints[j];
      const q = command.position_rad[j];
      const kp = command.kp_nm_rad[j];
      const kd = command.kd_nm_s_rad[j];
      if (!(q >= joint.position_rad[0] && q <= joint.position_rad[1])) return `${joint.name}: position ${q}`;
      if (!(kp >= 0 && kp <= joint.kp_nm_rad && kd >= 0 && kd <= joint.kd_nm_s_rad))
        return `${joint.name}: gains ${kp}, ${kd}`;
      if (command.velocity_rad_s[j] !== 0 || command.torque_nm[j] !== 0)
        return `${joint.name}: a velocity or a torque of its own`;
      if (command.mode !== DriveMode.track) {
        if (kp !== 0) return `${joint.name}: stiffness without tracking`;
        continue;
      }
      if (believed) {
        const dq = believed.velocity_rad_s[j];
        const torque = kp * (q - believed.position_rad[j]) - kd * dq;
        if (Math.abs(torque) > this.torqueLimit_nm(j, believed) * (1 + ROUNDING))
          return `${joint.name}: torque ${torque}`;
        power_w += Math.max(0, torque * dq);
      }
      const velocity = (executed_rad[j] - this.last[j]) / this.dt_s;
      if (this.known > 0 && Math.abs(velocity) > joint.velocity_rad_s + ROUNDING)
        return `${joint.name}: target at ${velocity} rad/s`;
      const change = velocity - this.lastVelocity[j];
      if (this.known > 1 && Math.abs(change) > joint.acceleration_rad_s2 * this.dt_s + ROUNDING)
        return `${joint.name}: target changes by ${change} rad/s in a tick`;
      const jerk_rad_s3 = Math.abs(change - this.lastChange[j]) / this.dt_s ** 2;
      if (this.known > 2 && jerk_rad_s3 > joint.jerk_rad_s3 * (1 + ROUNDING) + 1)
        return `${joint.name}: target jerks by ${jerk_rad_s3} rad/s³`;
      this.last[j] = executed_rad[j];
      this.lastVelocity[j] = velocity;
      this.lastChange[j] = change;
    }
    if (power_w > spec.power_w * (1 + ROUNDING)) return `power ${power_w}`;
    if (command.mode === DriveMode.track) this.known++;
    return undefined;
  }

  /** What may be asked of a joint that is sound, spent, or pushing in vain. */
  private torqueLimit_nm(
    j: number,
    { torque_nm, velocity_rad_s, temperature_c, supply_v }: RobotState,
  ): number {
    const { spec, pushes_s, speed, torque } = this;
    const joint = spec.joints[j];
    const weight = Math.min(1, this.dt_s / SMOOTHED_S);
    speed[j] += weight * (velocity_rad_s[j] - speed[j]);
    torque[j] += weight * (torque_nm[j] - torque[j]);
    const inVain =
      Math.abs(torque[j]) > PUSHES * joint.torque_nm && Math.abs(speed[j]) < STILL * joint.velocity_rad_s;
    pushes_s[j] = inVain ? pushes_s[j] + this.dt_s : 0;
    const spent = temperature_c[j] >= joint.temperature_max_c || supply_v < (spec.supply?.min_v ?? 0);
    const vain = pushes_s[j] > spec.contact.seconds + LATER_S ? spec.contact.torque_share : 1;
    return joint.torque_nm * Math.min(vain, spent ? SPENT_SHARE : 1);
  }
}
