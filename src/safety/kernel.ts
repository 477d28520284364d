import type { RobotSpec } from '../robot/spec.js';
import { DriveMode, JointCommand, type RobotState } from '../robot/state.js';
import { type Authority, mayTakeOver } from './authority.js';
import { wishLasts_s } from './deadman.js';
import { type Cause, EventRing } from './events.js';
import { hasFallen } from './fall.js';
import { ReducedSpeed } from './reducedSpeed.js';
import { checkSensors, type Sensing } from './sensors.js';
import { PoseMotion } from './stop.js';
import { moveTarget } from './target.js';
import { driveTorque_nm, limitDamping, limitTorque } from './torque.js';

/**
 * What the kernel is doing. `idle`: no torque, before arming. `run`: follows what is asked, inside
 * the limits. `hold`: keeps still, since nobody asks. `stopping`: on the way to the stop pose.
 * `stopped`: arrived there. `damp`: brakes only.
 */
export const kernelModes = ['idle', 'run', 'hold', 'stopping', 'stopped', 'damp'] as const;
export type KernelMode = (typeof kernelModes)[number];

/** A reported rate limit is worth an event only when it held back this much, rad. */
const WORTH_REPORTING_RAD = 0.05;

/**
 * The safety kernel: the one way from anybody's wish to a drive. Each control tick it is given the
 * newest sample and the newest wish, and makes the command that is safe to send. It allocates
 * nothing per tick, never throws on any input, and works from nothing but its arguments and its own
 * memory, so that the same kernel runs on the robot and inside training.
 */
export class SafetyKernel {
  readonly command: JointCommand;
  /** Targets that this tick's shaping arrived at, before the torque limit: what "executed" means. */
  readonly executed_rad: Float64Array;
  readonly events: EventRing;
  mode: KernelMode = 'idle';
  /** The cause that latched, until `reset`. */
  latched: Cause | undefined;
  private readonly targets: Float64Array;
  private readonly wish: Float64Array;
  private readonly limits_rad_s: Float64Array;
  private readonly reducedSpeed: ReducedSpeed;
  private readonly stopMotion: PoseMotion;
  private readonly dt_s: number;
  private commanding: Authority = 'stop';
  /** Share of the speed limits in force: low after a change of authority, then rising. */
  private speedShare = 1;
  /** The robot was taken up lying: until it is handed on, that is no news. */
  private lying = false;

  constructor(private readonly spec: RobotSpec) {
    const n = spec.joints.length;
    this.command = new JointCommand(n);
    this.executed_rad = new Float64Array(n);
    this.events = new EventRing(n);
    this.targets = new Float64Array(2 * n);
    this.wish = new Float64Array(n);
    this.limits_rad_s = new Float64Array(n);
    this.reducedSpeed = new ReducedSpeed(spec);
    const { pose_rad, seconds, stand_s } = spec.stop;
    const standing = { pose_rad: spec.joints.map((j) => j.home_rad), seconds: stand_s ?? 0 };
    const rest = { pose_rad, seconds };
    this.stopMotion = new PoseMotion(stand_s === undefined ? [rest] : [standing, rest]);
    this.dt_s = 1 / spec.rates.control_hz;
  }

  /** Who commands now. */
  get authority(): Authority {
    return this.mode === 'run' || this.mode === 'hold' ? this.commanding : 'stop';
  }

  /** Takes up the joints where they are and holds them, for the policy. @returns false while latched */
  arm(state: RobotState): boolean {
    return this.takeUp(state, 'policy');
  }

  /** Takes up a robot that fell, for a recovery: until that hands it on, lying is no cause to stop. */
  armForRecovery(state: RobotState): boolean {
    this.lying = this.takeUp(state, 'recovery');
    return this.lying;
  }

  /**
   * Gives the robot to another authority, which finds the targets where the last one left them, at the
   * speed that they had; speed limits start low and rise over `handover_s`.
   * @returns false where it may not take over
   */
  handOver(to: Authority): boolean {
    if (to === this.authority) return true;
    if (!mayTakeOver(this.authority, to)) return false;
    this.commanding = to;
    this.lying = false;
    this.speedShare = this.spec.person.joint_share;
    return true;
  }

  /** The operator's explicit word that whatever latched is over; the robot stays without torque until `arm`. */
  reset(): void {
    this.latched = undefined;
    this.mode = 'idle';
  }

  /**
   * Latched emergency stop. Callable at any moment, whatever else goes on. A robot without torque stays
   * without: only what moves is stopped.
   */
  emergencyStop(now_s: number): void {
    this.events.report(now_s, 'emergency_stop', -1, 0, 0);
    this.latch('emergency_stop');
    if (this.mode === 'idle') return;
    if (this.spec.stop.emergency === 'damp') this.mode = 'damp';
    else if (this.mode === 'run' || this.mode === 'hold') this.beginStop(now_s);
  }

  /** A stop that knows gravity: to the stop pose, then as `robot.yaml` says. Not latched. */
  requestStop(now_s: number, cause: Cause = 'stop_requested'): void {
    if (this.mode !== 'run' && this.mode !== 'hold') return;
    this.events.report(now_s, cause, -1, 0, 0);
    this.beginStop(now_s);
  }

  /**
   * One tick.
   * @param asked_rad joint targets that the authority of the moment wishes for; not written to
   * @param askedAt_s when that wish was made, on the clock of `now_s`; −∞ when there is none
   * @returns the command, in memory that the next tick reuses
   */
  step(state: RobotState, asked_rad: Float64Array, askedAt_s: number, now_s: number): JointCommand {
    const { command } = this;
    command.time_s = now_s;
    if (this.mode !== 'idle') {
      const sensing = checkSensors(this.spec, state, now_s, this.events);
      if (sensing === 'stale' && this.mode !== 'damp') {
        this.freeze();
        this.events.endTick();
        return command;
      }
      this.guard(sensing, state, asked_rad, askedAt_s, now_s);
    }
    switch (this.mode) {
      case 'idle':
        this.release(DriveMode.off);
        break;
      case 'damp':
        this.release(DriveMode.damp);
        break;
      case 'hold':
        for (let j = 0; j < this.wish.length; j++) this.wish[j] = this.targets[2 * j];
        this.track(state, this.wish, now_s);
        break;
      case 'run':
        this.track(state, asked_rad, now_s);
        break;
      case 'stopping':
        if (this.stopMotion.pose(now_s, this.wish)) this.mode = 'stopped';
        this.track(state, this.wish, now_s);
        break;
      case 'stopped':
        if (this.spec.stop.afterwards === 'hold') this.track(state, this.wish, now_s);
        else this.release(DriveMode.damp);
        break;
    }
    this.events.endTick();
    return command;
  }

  /**
   * Nothing is known of this moment: the drives get their last command again, whose targets they hold
   * with their own sensors, and the targets stop where they are.
   */
  private freeze(): void {
    for (let j = 0; j < this.executed_rad.length; j++) this.targets[2 * j + 1] = 0;
  }

  /** Decides from sensors and watchdogs what mode this tick is in. */
  private guard(
    sensing: Sensing,
    state: RobotState,
    asked_rad: Float64Array,
    askedAt_s: number,
    now_s: number,
  ): void {
    // Without believable sensing nothing can be closed around it: brake, and wait for the operator.
    if (sensing === 'bad') {
      this.latch('sensor_invalid');
      this.mode = 'damp';
      return;
    }
    if (this.mode === 'damp') return;
    if (!this.lying && hasFallen(this.spec, state)) {
      this.events.report(now_s, 'fall', -1, 0, this.spec.fall!.tilt_rad);
      this.mode = 'damp';
      return;
    }
    if (this.mode === 'run' || this.mode === 'hold') {
      if (!this.isFinite(asked_rad)) {
        this.events.report(now_s, 'command_invalid', -1, Number.NaN, 0);
        this.mode = 'hold';
        return;
      }
      const age = now_s - askedAt_s;
      const lasts_s = wishLasts_s(this.spec, this.commanding);
      if (age <= lasts_s) {
        this.mode = 'run';
      } else {
        const cause = this.commanding === 'person' ? 'deadman' : 'command_stale';
        // Nothing was ever asked of a robot that just holds: only a wish that ran out is an event.
        if (this.mode === 'run') this.events.report(now_s, cause, -1, age, lasts_s);
        this.mode = 'hold';
      }
    }
  }

  private track(state: RobotState, asked_rad: Float64Array, now_s: number): void {
    const { command, targets, spec } = this;
    command.mode = DriveMode.track;
    this.limitSpeed(asked_rad);
    for (let j = 0; j < spec.joints.length; j++) {
      const joint = spec.joints[j];
      const asked = asked_rad[j];
      const [low, high] = joint.position_rad;
      if (asked < low || asked > high)
        this.events.report(now_s, 'target_position', j, asked, asked < low ? low : high);
      const before = targets[2 * j];
      moveTarget(joint, asked, this.limits_rad_s[j], this.dt_s, targets, 2 * j);
      const target = targets[2 * j];
      const held = Math.abs(asked - target) - Math.abs(asked - before);
      if (held > WORTH_REPORTING_RAD) this.events.report(now_s, 'target_rate', j, asked, target);
      this.executed_rad[j] = target;
      const q = state.position_rad[j];
      const dq = state.velocity_rad_s[j];
      const given = limitTorque(joint, target, q, dq);
      if (given !== target) {
        const torque = driveTorque_nm(joint, target, q, dq);
        if (Math.abs(torque) > joint.torque_nm)
          this.events.report(now_s, 'joint_torque', j, torque, joint.torque_nm);
        else this.events.report(now_s, 'joint_velocity', j, dq, joint.velocity_rad_s);
      }
      command.position_rad[j] = given;
      command.velocity_rad_s[j] = 0;
      command.kp_nm_rad[j] = joint.kp_nm_rad;
      command.kd_nm_s_rad[j] = limitDamping(joint, given, q, dq);
      command.torque_nm[j] = 0;
    }
  }

  /** The speed that each target may have in this tick. */
  private limitSpeed(asked_rad: Float64Array): void {
    const { spec, limits_rad_s } = this;
    const byPerson = this.authority === 'person';
    const most = byPerson ? spec.person.joint_share : 1;
    this.speedShare = Math.min(most, this.speedShare + this.dt_s / spec.handover_s);
    // A stop keeps its own time, whatever went before.
    const share = this.authority === 'stop' ? 1 : this.speedShare;
    for (let j = 0; j < limits_rad_s.length; j++) limits_rad_s[j] = share * spec.joints[j].velocity_rad_s;
    if (byPerson) this.reducedSpeed.limit(asked_rad, this.targets, this.dt_s, limits_rad_s);
  }

  /** No position control; targets follow the joints so that taking up again starts where they are. */
  private release(mode: DriveMode): void {
    const { command, spec } = this;
    command.mode = mode;
    for (let j = 0; j < spec.joints.length; j++) {
      command.velocity_rad_s[j] = 0;
      command.kp_nm_rad[j] = 0;
      command.kd_nm_s_rad[j] = mode === DriveMode.damp ? spec.joints[j].kd_nm_s_rad : 0;
      command.torque_nm[j] = 0;
    }
  }

  private takeUp(state: RobotState, by: Authority): boolean {
    if (this.latched) return false;
    for (let j = 0; j < this.executed_rad.length; j++) {
      const [low, high] = this.spec.joints[j].position_rad;
      const q = Math.min(high, Math.max(low, state.position_rad[j]));
      this.targets[2 * j] = q;
      this.targets[2 * j + 1] = 0;
      this.executed_rad[j] = q;
      this.command.position_rad[j] = q;
    }
    this.commanding = by;
    this.lying = false;
    this.speedShare = 1;
    this.mode = 'hold';
    return true;
  }

  private beginStop(now_s: number): void {
    this.stopMotion.begin(this.executed_rad, now_s);
    this.mode = 'stopping';
  }

  private latch(cause: Cause): void {
    this.latched ??= cause;
  }

  private isFinite(values: Float64Array): boolean {
    for (let j = 0; j < values.length; j++) if (!Number.isFinite(values[j])) return false;
    return true;
  }
}
