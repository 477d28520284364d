import type { Random } from '../../src/base/random.js';
import { Chain } from '../../src/robot/kinematics.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, RobotState } from '../../src/robot/state.js';
import { type Fault, type FaultKind, gentle, spoil, toldAs } from './faults.js';
import { foreignPolicyFault } from './foreign.js';
import { labelFault } from './labels.js';
import type { Rig } from './rig.js';

/** Of a robot that is to be at work when its fault comes. */
const ATTEMPTS = 5;
/** A stop may come this many ticks after what calls for it has shown. */
const SLACK_TICKS = 4;
/** After a fault the robot is watched for as long as a stop takes, and a little. */
const AFTER_S = 0.8;
/** Friction of a joint that is blocked: what its drive has moves it by next to nothing. */
const BLOCKED_NM_S_RAD = 1e4;
const LEADS_S = 1;
const FREEZE_S = 0.5;
const CURVE_HZ = 50;

/** Where a robot must not go: the tool under its table, legs into each other. */
function forbiddenPose(spec: RobotSpec): number[] {
  if (spec.base === 'fixed')
    return spec.joints.map(({ home_rad }, j) => (j === 1 || j === 2 ? 1.5 : home_rad));
  return spec.joints.map(({ name, home_rad, position_rad: [low, high] }) =>
    name.endsWith('abduction') ? (home_rad < 0 ? high : low) : home_rad,
  );
}

/** One fault on one rig: a while of work, the fault, a while after it. */
export class Trial {
  private readonly before: RobotState;
  private readonly from_rad: Float64Array;
  private readonly tool: Chain | undefined;
  private readonly toolBefore = new Float64Array(3);
  private began_s = 0;
  private stoppedAt_s = Number.NaN;
  private heldAt_s = Number.NaN;
  private movedFrozen = false;

  constructor(
    private readonly rig: Rig,
    private readonly fault: Fault,
    private readonly random: Random,
  ) {
    this.before = RobotState.for(rig.spec);
    this.from_rad = new Float64Array(rig.spec.joints.length);
    const tool = rig.spec.chains.find((c) => c.kind === 'tool');
    this.tool = tool && new Chain(tool, rig.spec);
  }

  /** @returns how long the stop that the fault calls for took to begin, s; 0 where it calls for none */
  run(n: number): number {
    const { rig, random } = this;
    const work_s = random.uniform(0.1, 0.4);
    // What the fault before this one set going may end in a fall only now: then it begins anew.
    for (let attempt = 0; attempt === 0 || (!this.works && attempt < ATTEMPTS); attempt++) {
      if (!this.works) rig.begin(n + attempt);
      rig.steps.length = 0;
      this.ticks(work_s);
    }
    this.before.flat.set(rig.sample.flat);
    this.from_rad.set(rig.kernel.executed_rad);
    this.began_s = rig.now_s;
    rig.told.length = 0;
    this.inject();
    this.endFault();
    this.ticks(AFTER_S);
    const stop_s = this.judge();
    this.checkLog();
    for (const step of rig.steps) {
      const wrong = labelFault(step, rig.spec, this.fault.kind);
      if (wrong) rig.violations.push(wrong);
    }
    if (rig.kernel.latched) this.checkLatch();
    return stop_s;
  }

  private get works(): boolean {
    const { rig } = this;
    return rig.kernel.authority === 'policy' && rig.loop.phase === 'running' && rig.upright >= 0.9;
  }

  private ticks(seconds: number, change?: (sample: RobotState) => void): void {
    const { rig } = this;
    for (let t = 0; t < seconds * rig.spec.rates.control_hz; t++) {
      rig.tick(change);
      this.look();
    }
  }

  private look(): void {
    const { rig } = this;
    if (this.began_s === 0) return;
    if (Number.isNaN(this.stoppedAt_s) && rig.kernel.authority === 'stop') this.stoppedAt_s = rig.now_s;
    const { mode } = rig.kernel;
    if (gentle.has(this.fault.kind) && (mode === 'idle' || (mode === 'stopping' && this.isOff())))
      rig.violations.push('no torque before the stop pose');
    if (Number.isNaN(this.heldAt_s) && rig.kernel.mode !== 'run') this.heldAt_s = rig.now_s;
  }

  private isOff(): boolean {
    const { command } = this.rig.kernel;
    return command.mode === DriveMode.off || command.kp_nm_rad.some((kp) => kp === 0);
  }

  /** A stop has its event. */
  private checkLog(): void {
    const { rig, fault } = this;
    const causes = toldAs[fault.kind];
    if (causes && !causes.some((cause) => rig.told.includes(cause)))
      rig.violations.push(`no event of ${causes.join(' or ')}, but ${rig.told.join(', ') || 'none'}`);
  }

  private inject(): void {
    const { rig, fault } = this;
    const { kernel, loop, spec } = rig;
    switch (fault.kind) {
      case 'command_nan':
        rig.spoiltPolicy = 'nan';
        this.ticks(fault.seconds);
        break;
      case 'command_step':
        rig.spoiltPolicy = 'step';
        this.ticks(fault.seconds);
        break;
      case 'command_flood':
      case 'command_silence':
        this.visit();
        break;
      case 'loop_stall': {
        const stalled = Math.ceil(fault.seconds * spec.rates.control_hz);
        for (let t = 0; t < stalled; t++) rig.stall();
        rig.tick(undefined, stalled + 1);
        this.look();
        break;
      }
      case 'lead_out':
        this.lead(forbiddenPose(spec), LEADS_S);
        break;
      case 'push':
      case 'topple':
        this.push();
        break;
      case 'joint_blocked':
        this.block();
        break;
      case 'outside_fence':
        this.ticks(fault.seconds, () => {
          loop.truth_m[0] = spec.geofence!.side_m * (0.51 + fault.severity);
        });
        break;
      case 'emergency_stop':
        kernel.emergencyStop(rig.now_s);
        this.ticks(fault.seconds);
        break;
      case 'stop_request':
        kernel.requestStop(rig.now_s);
        this.ticks(fault.seconds);
        break;
      case 'foreign_policy':
        if (foreignPolicyFault(rig.spec, rig.manifest, fault))
          rig.violations.push('a foreign policy is admitted');
        break;
      case 'sensor_freeze': {
        const freeze = (sample: RobotState) => spoil(fault, spec, sample, this.before);
        this.ticks(FREEZE_S - 0.05, freeze);
        this.movedFrozen = this.hasMoved();
        this.ticks(0.05, freeze);
        break;
      }
      default:
        this.ticks(fault.seconds, (sample) => spoil(fault, spec, sample, this.before));
        break;
    }
  }

  /** A guest that asks for anything at every tick: uninvited, or a person who took over and may fall silent. */
  private visit(): void {
    const { rig, fault, random } = this;
    const { loop, spec } = rig;
    const silent = fault.kind === 'command_silence';
    const invited = silent || fault.severity < 0.5;
    if (invited) loop.takeOver('person', rig.now_s);
    const asked = new Float64Array(spec.joints.length);
    for (let t = 0; t < 0.3 * spec.rates.control_hz; t++) {
      if (t % (silent ? 10 : 1) === 0) {
        for (let j = 0; j < asked.length; j++) {
          const [low, high] = spec.joints[j].position_rad;
          asked[j] = silent ? rig.kernel.executed_rad[j] : random.uniform(2 * low - 1, 2 * high + 1);
        }
        loop.guest.set('person', asked, rig.now_s);
      }
      this.ticks(0.5 / spec.rates.control_hz);
      if (!invited && rig.kernel.authority === 'person') rig.violations.push('a guest commands uninvited');
      this.checkToolSpeed(invited && t > 0.15 * spec.rates.control_hz);
    }
    if (silent) {
      this.began_s = rig.now_s;
      this.heldAt_s = Number.NaN;
      this.ticks(spec.person.deadman_s + 0.05);
    }
  }

  private checkToolSpeed(limited: boolean): void {
    const { tool, rig, toolBefore } = this;
    if (!tool) return;
    tool.update(rig.kernel.executed_rad);
    const moved = Math.hypot(...tool.tip_m.map((x, k) => x - toolBefore[k])) * rig.spec.rates.control_hz;
    toolBefore.set(tool.tip_m);
    // What it had when the person took over may be braked first; levers change a little within a tick.
    if (limited && moved > rig.spec.person.tool_m_s * 1.02)
      rig.violations.push(`a person moves the tool at ${moved} m/s`);
  }

  private push(): void {
    const { rig, fault } = this;
    const { xfrc_applied } = rig.sim.simulation.data;
    const force_n = fault.kind === 'topple' ? 400 + 400 * fault.severity : 300 * fault.severity;
    const direction = 2 * Math.PI * this.random.uniform(0, 1);
    xfrc_applied[6] = force_n * Math.cos(direction);
    xfrc_applied[7] = force_n * Math.sin(direction);
    if (fault.kind === 'topple') xfrc_applied[9] = 60;
    this.ticks(fault.kind === 'topple' ? 0.3 : 0.1);
    xfrc_applied.fill(0);
  }

  /** A recovery that leads the robot where it must not be. */
  private lead(pose_rad: ArrayLike<number>, seconds: number): void {
    const { rig } = this;
    const { loop, spec } = rig;
    // A policy ends its step first.
    loop.takeOver('recovery', rig.now_s);
    this.ticks(1 / spec.rates.policy_hz);
    for (let t = 0; t < seconds * CURVE_HZ; t++) {
      loop.guest.set('recovery', pose_rad, rig.now_s);
      this.ticks(1 / CURVE_HZ);
    }
  }

  private block(): void {
    const { rig, fault } = this;
    const { dof_damping } = rig.sim.simulation.parameters;
    const dof = dof_damping.length - rig.spec.joints.length + fault.joint;
    const free = dof_damping[dof];
    dof_damping[dof] = BLOCKED_NM_S_RAD;
    // Pushed against what blocks it, for longer than it may be.
    const pose_rad = Float64Array.from(rig.kernel.executed_rad);
    const [low, high] = rig.spec.joints[fault.joint].position_rad;
    const q = rig.sample.position_rad[fault.joint];
    pose_rad[fault.joint] = high - q > q - low ? high : low;
    this.lead(pose_rad, rig.spec.contact.seconds + fault.seconds + 0.5);
    dof_damping[dof] = free;
  }

  private endFault(): void {
    const { rig } = this;
    rig.spoiltPolicy = undefined;
    rig.loop.release(rig.now_s);
  }

  /** Whether the stop that this fault calls for came in time. */
  private judge(): number {
    const { rig, fault } = this;
    const { watchdog, person, rates } = rig.spec;
    const slack_s = SLACK_TICKS / rates.control_hz;
    const within = (limit_s: number): number => {
      const took_s = this.stoppedAt_s - this.began_s;
      if (!(took_s <= limit_s + slack_s)) rig.violations.push(`no stop within ${limit_s} s: ${took_s}`);
      return Number.isNaN(took_s) ? 0 : took_s;
    };
    const heldWithin = (limit_s: number): number => {
      const took_s = this.heldAt_s - this.began_s;
      if (!(took_s <= limit_s + slack_s)) rig.violations.push(`does not hold within ${limit_s} s: ${took_s}`);
      return Number.isNaN(took_s) ? 0 : took_s;
    };
    const kind: FaultKind = fault.kind;
    switch (kind) {
      case 'sensor_nan':
      case 'sensor_jump':
      case 'sensor_range':
      case 'clock_jump':
      case 'over_temperature':
      case 'under_voltage':
      case 'outside_fence':
      case 'emergency_stop':
      case 'stop_request':
        return within(0);
      case 'sensor_delay':
        return 1.5 * fault.severity > 1 ? within(0) : 0;
      case 'sensor_dropout':
        return fault.seconds > watchdog.sensor_lost_s + slack_s ? within(watchdog.sensor_lost_s) : 0;
      case 'sensor_freeze':
        return this.movedFrozen ? within(FREEZE_S) : 0;
      case 'command_nan':
        // The policy acts once a period.
        return fault.seconds > 1 / rates.policy_hz + slack_s ? heldWithin(1 / rates.policy_hz) : 0;
      case 'command_silence':
        return heldWithin(person.deadman_s);
      case 'topple':
        if (rig.upright < Math.cos(rig.spec.fall!.tilt_rad + 0.2) && Number.isNaN(this.stoppedAt_s))
          rig.violations.push('lies and still acts');
        return 0;
      default:
        return 0;
    }
  }

  /** Whether some joint was led so far since the fault that a frozen sensor shows. */
  private hasMoved(): boolean {
    return this.rig.kernel.executed_rad.some((q, j) => Math.abs(q - this.from_rad[j]) > 0.25);
  }

  private checkLatch(): void {
    const { rig } = this;
    const latched = rig.kernel.latched;
    if (
      rig.loop.arm(rig.now_s) ||
      rig.loop.takeOver('recovery', rig.now_s) ||
      rig.loop.takeOver('person', rig.now_s)
    )
      rig.violations.push('a latched robot was taken up');
    this.ticks(0.02);
    if (rig.kernel.latched !== latched) rig.violations.push('a latch did not hold');
    if (rig.kernel.authority !== 'stop') rig.violations.push('a latched robot acts');
  }
}
