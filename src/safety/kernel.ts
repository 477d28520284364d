import type { RobotSpec } from '../robot/spec.js';
import { DriveMode, JointCommand, type RobotState } from '../robot/state.js';
import { type Authority, mayTakeOver } from './authority.js';
import { wishLasts_s } from './deadman.js';
import { exhausted, overheated } from './derating.js';
import { Effort } from './effort.js';
import { type Cause, EventRing } from './events.js';
import { hasFallen, tilt_rad } from './fall.js';
import { Frozen } from './frozen.js';
import { outsideFence_m } from './geofence.js';
import { Jump } from './jump.js';
import { Latch } from './latch.js';
import { checkSensors, type Sensing } from './sensors.js';
import { Shaping } from './shaping.js';
import { PoseMotion, type StopCategory } from './stop.js';
import { isCurrent } from './watchdog.js';

/**
 * What the kernel is doing. `idle`: no torque, before arming. `run`: follows what is asked, inside
 * the limits. `hold`: keeps still, since nobody asks. `stopping`: on the way to the stop pose.
 * `stopped`: arrived there. `damp`: brakes only.
 */
export const kernelModes = ['idle', 'run', 'hold', 'stopping', 'stopped', 'damp'] as const;
export type KernelMode = (typeof kernelModes)[number];

/** A reset of a robot that brakes waits until no joint is faster than this, rad/s: what sinks would drop. */
const STILL_RAD_S = 0.3;
/** A recovery that begins outside of the fence may go this much further out on its way back, m. */
const WAY_BACK_M = 0.5;

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
  /** Where the robot is, m from where it was started; the control loop writes it. NaN where nobody knows. */
  readonly place_m = new Float64Array(2).fill(Number.NaN);
  mode: KernelMode = 'idle';
  private readonly shaping: Shaping;
  private readonly effort: Effort;
  private readonly frozen: Frozen;
  private readonly jump: Jump;
  private readonly latch = new Latch();
  private readonly wish: Float64Array;
  private readonly toPose: PoseMotion;
  private commanding: Authority = 'stop';
  /** The robot was taken up lying: until it is handed on, that is no news. */
  private lying = false;
  /** A stop of category 2: it holds where it came to rest. */
  private stopsInPlace = false;
  private stopsFor: Cause = 'stop_requested';
  /** Reset, but not yet at rest: torque goes off once it is. */
  private resetting = false;
  /** How far outside of the fence whoever commands may be, m. */
  private outsideAllowed_m = 0;

  constructor(private readonly spec: RobotSpec) {
    const n = spec.joints.length;
    this.command = new JointCommand(n);
    this.shaping = new Shaping(spec);
    this.effort = new Effort(spec);
    this.frozen = new Frozen(spec);
    this.jump = new Jump(spec);
    this.executed_rad = this.shaping.executed_rad;
    this.events = new EventRing(n);
    this.wish = new Float64Array(n);
    const { pose_rad, seconds, stand_s } = spec.stop;
    const standing = { pose_rad: spec.joints.map((j) => j.home_rad), seconds: stand_s ?? 0 };
    const rest = { pose_rad, seconds };
    this.toPose = new PoseMotion(stand_s === undefined ? [rest] : [standing, rest]);
  }

  /** Who commands now. */
  get authority(): Authority {
    return this.mode === 'run' || this.mode === 'hold' ? this.commanding : 'stop';
  }

  /** The cause that latched, until `reset`. */
  get latched(): Cause | undefined {
    return this.latch.cause;
  }

  /**
   * Whether it came to a stop that a recovery may end by itself: a fall, or the fence. Every other stop
   * is for the operator to end.
   */
  get awaitsRecovery(): boolean {
    if (this.latched || this.resetting) return false;
    const stopped = this.mode === 'stopping' || this.mode === 'stopped';
    return this.mode === 'damp' || (stopped && this.stopsFor === 'geofence');
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
    this.commands(to);
    this.shaping.handedOver();
    return true;
  }

  /**
   * The operator's explicit word that whatever latched is over; the robot stays without torque until
   * `arm`. What is on its way to the stop pose gets there first, what is held in the air is lowered, and
   * what sinks under its brakes comes to rest, before its torque goes off. A robot that is commanded goes on.
   */
  reset(): void {
    this.latch.reset();
    if (this.authority !== 'stop' || this.mode === 'idle') return;
    this.resetting = true;
    if (this.mode !== 'damp' && this.stopsInPlace) this.beginStop(this.command.time_s, this.stopsFor);
  }

  /** Somebody put the robot elsewhere, as only a simulation can do at once: its joints did not jump. */
  replaced(): void {
    this.jump.reset();
  }

  /** As it was when it was made. For a simulation that begins anew: a robot would drop. */
  forget(): void {
    this.latch.reset();
    this.events.beginAnew();
    this.resetting = false;
    this.mode = 'idle';
  }

  /**
   * Latched emergency stop. Callable at any moment, whatever else goes on. A robot without torque stays
   * without: only what moves is stopped.
   */
  emergencyStop(now_s: number): void {
    this.events.report(now_s, 'emergency_stop', -1, 0, 0);
    this.latch.set('emergency_stop');
    this.resetting = false;
    if (this.mode === 'idle') return;
    if (this.spec.stop.emergency === 'damp') this.mode = 'damp';
    else if (this.mode === 'run' || this.mode === 'hold') this.beginStop(now_s, 'emergency_stop');
  }

  /** Stops without latching; by default as knows gravity: to the stop pose, then as `robot.yaml` says. */
  requestStop(now_s: number, cause: Cause = 'stop_requested', category: StopCategory = 1): void {
    if (this.mode !== 'run' && this.mode !== 'hold') return;
    this.events.report(now_s, cause, -1, category, 0);
    if (category === 0) this.mode = 'idle';
    else this.beginStop(now_s, cause, category);
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
        // Nothing is known of this moment: the drives get their last command again, whose targets they
        // hold with their own sensors, and the targets stop where they are.
        this.shaping.freeze();
        this.events.endTick(this.executed_rad);
        return command;
      }
      this.guard(sensing, state, asked_rad, askedAt_s, now_s);
      if (this.resetting && this.mode === 'stopped') this.mode = 'idle';
    }
    switch (this.mode) {
      case 'idle':
        this.release(DriveMode.off);
        break;
      case 'damp':
        this.release(DriveMode.damp);
        break;
      case 'hold':
        this.shaping.copyTargets(this.wish);
        this.track(state, this.wish, now_s);
        break;
      case 'run':
        this.track(state, asked_rad, now_s);
        break;
      case 'stopping':
        this.stopping(now_s);
        this.track(state, this.wish, now_s);
        break;
      case 'stopped':
        if (this.stopsInPlace || this.spec.stop.afterwards === 'hold') this.track(state, this.wish, now_s);
        else this.release(DriveMode.damp);
        break;
    }
    this.events.endTick(this.executed_rad);
    return command;
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
    if (sensing === 'bad' || this.jumped(state, now_s) || this.isFrozen(state, now_s)) {
      this.latch.set('sensor_invalid');
      this.mode = 'damp';
      return;
    }
    if (this.mode === 'damp') {
      if (this.resetting && isStill(state)) this.mode = 'idle';
      return;
    }
    if (!this.lying && hasFallen(this.spec, state)) {
      this.events.report(now_s, 'fall', -1, tilt_rad(state), this.spec.fall!.tilt_rad);
      this.mode = 'damp';
      return;
    }
    this.effort.update(state, now_s, this.events);
    if (this.mode !== 'run' && this.mode !== 'hold') return;
    if (this.mustStop(state, now_s)) return;
    if (!allFinite(asked_rad)) {
      this.events.report(now_s, 'command_invalid', -1, Number.NaN, 0);
      this.mode = 'hold';
      return;
    }
    const age = now_s - askedAt_s;
    const lasts_s = wishLasts_s(this.spec, this.commanding);
    if (isCurrent(age, lasts_s)) {
      this.mode = 'run';
    } else {
      const cause = this.commanding === 'person' ? 'deadman' : 'command_stale';
      // Nothing was ever asked of a robot that just holds: only a wish that ran out is an event.
      if (this.mode === 'run') this.events.report(now_s, cause, -1, age, lasts_s);
      this.mode = 'hold';
    }
  }

  private jumped(state: RobotState, now_s: number): boolean {
    const j = this.jump.find(state);
    if (j < 0) return false;
    this.events.report(now_s, 'sensor_jump', j, state.position_rad[j], this.spec.joints[j].velocity_rad_s);
    return true;
  }

  private isFrozen(state: RobotState, now_s: number): boolean {
    const which = this.frozen.find(state, this.executed_rad);
    if (which < 0) return false;
    const joint = which < this.wish.length ? which : -1;
    this.events.report(
      now_s,
      'sensor_frozen',
      joint,
      this.spec.watchdog.frozen_s,
      this.spec.watchdog.frozen_s,
    );
    return true;
  }

  /** Conditions of the whole robot that end in a controlled stop. */
  private mustStop(state: RobotState, now_s: number): boolean {
    const { spec, events } = this;
    const hot = overheated(spec, state);
    const fence = outsideFence_m(spec, this.place_m);
    let cause: Cause;
    if (hot >= 0) {
      cause = 'overheated';
      events.report(now_s, cause, hot, state.temperature_c[hot], spec.joints[hot].temperature_max_c);
    } else if (exhausted(spec, state)) {
      cause = 'supply_low';
      events.report(now_s, cause, -1, state.supply_v, spec.supply!.min_v);
    } else if (fence > this.outsideAllowed_m) {
      cause = 'geofence';
      events.report(now_s, cause, -1, fence, this.outsideAllowed_m);
    } else {
      return false;
    }
    this.beginStop(now_s, cause);
    return true;
  }

  private track(state: RobotState, asked_rad: Float64Array, now_s: number): void {
    this.shaping.move(asked_rad, this.authority, now_s, this.events);
    this.effort.track(this.executed_rad, state, now_s, this.events, this.command);
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
    this.shaping.takeUp(state.position_rad);
    this.command.position_rad.set(this.executed_rad);
    this.frozen.reset();
    this.jump.reset();
    this.commands(by);
    this.resetting = false;
    this.mode = 'hold';
    return true;
  }

  /** Whoever leads it back into its fence, a recovery or a person, is let do so; a recovery not away from it. */
  private commands(by: Authority): void {
    this.commanding = by;
    this.lying = false;
    const outside_m = outsideFence_m(this.spec, this.place_m);
    if (by === 'person') this.outsideAllowed_m = Number.POSITIVE_INFINITY;
    else this.outsideAllowed_m = by === 'recovery' ? outside_m + WAY_BACK_M : 0;
  }

  private beginStop(now_s: number, cause: Cause, category: StopCategory = 1): void {
    this.stopsFor = cause;
    this.stopsInPlace = category === 2;
    this.toPose.begin(this.executed_rad, now_s);
    this.mode = 'stopping';
  }

  private stopping(now_s: number): void {
    if (this.stopsInPlace) {
      this.shaping.copyTargets(this.wish);
      if (this.shaping.atRest) this.mode = 'stopped';
    } else if (this.toPose.pose(now_s, this.wish)) {
      this.mode = 'stopped';
    }
  }
}

function isStill(state: RobotState): boolean {
  const { velocity_rad_s } = state;
  for (let j = 0; j < velocity_rad_s.length; j++) if (Math.abs(velocity_rad_s[j]) > STILL_RAD_S) return false;
  return true;
}

function allFinite(values: Float64Array): boolean {
  for (let j = 0; j < values.length; j++) if (!Number.isFinite(values[j])) return false;
  return true;
}
