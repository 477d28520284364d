import type { RobotSpec } from '../robot/spec.js';
import type { Authority } from './authority.js';
import { brakeTarget, restingPlace_rad } from './braking.js';
import type { EventRing } from './events.js';
import { ReducedSpeed } from './reducedSpeed.js';
import { SelfCollision } from './selfCollision.js';
import { Smoothing } from './smoothing.js';
import { moveTarget } from './target.js';
import { Workspace } from './workspace.js';

/** A reported rate limit is worth an event only when it held back this much, rad. */
const WORTH_REPORTING_RAD = 0.05;
/** Deeper by less than this is rounding, m. */
const DEEPER_M = 1e-9;
/** A robot that is taken up outside of a boundary may go this much further out on its way in, m. */
const WAY_IN_M = 0.1;

/**
 * What targets may do from tick to tick: inside their ranges, with bounded speed, acceleration and
 * jerk, slower while a person commands, out of forbidden places. Memory of fixed size; nothing is
 * allocated per tick.
 */
export class Shaping {
  /** What the targets have come to: inside every limit, whatever was asked. */
  readonly executed_rad: Float64Array;
  /** [target, target velocity] of each joint, before smoothing. */
  private readonly targets: Float64Array;
  private readonly before: Float64Array;
  private readonly wanted: Float64Array;
  private readonly braked: Float64Array;
  /** Joints that give way together at a boundary: those of a chain. */
  private readonly groups: readonly (readonly number[])[];
  private readonly place_rad: Float64Array;
  private readonly limits_rad_s: Float64Array;
  private readonly reducedSpeed: ReducedSpeed;
  private readonly workspace: Workspace;
  private readonly selfCollision: SelfCollision;
  private readonly smoothing: Smoothing;
  private readonly dt_s: number;
  /** Share of the speed limits in force: low after a change of authority, then rising. */
  private speedShare = 1;
  /** How far the way on which the targets could come to rest leads outside of each boundary. */
  private outside_m = 0;
  private inside_m = 0;
  /** How far outside it may be: 0 once it has been inside since it was taken up. */
  private outsideAllowed_m = 0;
  private insideAllowed_m = 0;

  constructor(private readonly spec: RobotSpec) {
    const n = spec.joints.length;
    this.executed_rad = new Float64Array(n);
    this.targets = new Float64Array(2 * n);
    this.before = new Float64Array(2 * n);
    this.wanted = new Float64Array(2 * n);
    this.braked = new Float64Array(2 * n);
    this.groups = jointsByChain(spec);
    this.place_rad = new Float64Array(n);
    this.limits_rad_s = new Float64Array(n);
    this.reducedSpeed = new ReducedSpeed(spec);
    this.workspace = new Workspace(spec);
    this.selfCollision = new SelfCollision(spec);
    this.smoothing = new Smoothing(spec);
    this.dt_s = 1 / spec.rates.control_hz;
  }

  /** Sets out from where the joints are, at rest. */
  takeUp(q_rad: ArrayLike<number>): void {
    const { executed_rad, targets } = this;
    for (let j = 0; j < executed_rad.length; j++) {
      const low = this.spec.joints[j].position_rad[0];
      const high = this.spec.joints[j].position_rad[1];
      executed_rad[j] = Math.min(high, Math.max(low, q_rad[j]));
      targets[2 * j] = executed_rad[j];
      targets[2 * j + 1] = 0;
    }
    this.smoothing.reset(executed_rad);
    this.speedShare = 1;
    this.measureBoundaries();
    this.outsideAllowed_m = this.outside_m + WAY_IN_M;
    this.insideAllowed_m = this.inside_m + WAY_IN_M;
    this.noticeInside();
  }

  /** Another authority commands from now on. */
  handedOver(): void {
    this.speedShare = this.spec.person.joint_share;
  }

  /** Targets stay where they are from one tick to the next, however fast they were. */
  freeze(): void {
    for (let j = 0; j < this.executed_rad.length; j++) {
      this.targets[2 * j] = this.executed_rad[j];
      this.targets[2 * j + 1] = 0;
    }
    this.smoothing.reset(this.executed_rad);
    // Halfway to where they would have come to rest, legs may be nearer to each other than there: they may leave.
    this.measureBoundaries();
    this.outsideAllowed_m = Math.max(this.outsideAllowed_m, this.outside_m);
    this.insideAllowed_m = Math.max(this.insideAllowed_m, this.inside_m);
  }

  get atRest(): boolean {
    for (let j = 0; j < this.executed_rad.length; j++) if (this.targets[2 * j + 1] !== 0) return false;
    return true;
  }

  /** Where targets would stay if nothing were asked any more. */
  copyTargets(out_rad: Float64Array): void {
    for (let j = 0; j < out_rad.length; j++) out_rad[j] = this.targets[2 * j];
  }

  /** One tick towards what is asked. */
  move(asked_rad: Float64Array, authority: Authority, now_s: number, events: EventRing): void {
    const { spec, targets, before } = this;
    this.limitSpeed(asked_rad, authority);
    before.set(targets);
    for (let j = 0; j < spec.joints.length; j++) {
      const asked = asked_rad[j];
      const low = spec.joints[j].position_rad[0];
      const high = spec.joints[j].position_rad[1];
      if (asked < low || asked > high)
        events.report(now_s, 'target_position', j, asked, asked < low ? low : high);
      moveTarget(spec.joints[j], asked, this.limits_rad_s[j], this.dt_s, targets, 2 * j);
      const held = Math.abs(asked - targets[2 * j]) - Math.abs(asked - before[2 * j]);
      if (held > WORTH_REPORTING_RAD) events.report(now_s, 'target_rate', j, asked, targets[2 * j]);
    }
    // A stop has a pose of its own to come to, whatever lies on its way.
    if (authority !== 'stop') this.keepInside(now_s, events);
    this.smoothing.next(targets, this.executed_rad);
  }

  /** The speed that each target may have in this tick. */
  private limitSpeed(asked_rad: Float64Array, authority: Authority): void {
    const { spec, limits_rad_s } = this;
    const most = authority === 'person' ? spec.person.joint_share : 1;
    this.speedShare = Math.min(most, this.speedShare + this.dt_s / spec.handover_s);
    // A stop keeps its own time, whatever went before.
    const share = authority === 'stop' ? 1 : this.speedShare;
    for (let j = 0; j < limits_rad_s.length; j++) limits_rad_s[j] = share * spec.joints[j].velocity_rad_s;
    if (authority === 'person') this.reducedSpeed.limit(asked_rad, this.targets, this.dt_s, limits_rad_s);
  }

  /**
   * Boundaries in space: targets go on only where they could still come to rest inside, or less far
   * outside than before; else they brake now. Where they then come to rest has been found good already.
   * One chain after the other then goes on where those before it leave room: two legs in each other's way
   * must not hold the rest of a robot that lies on the floor, nor the one of them that gives way.
   */
  private keepInside(now_s: number, events: EventRing): void {
    const { outside_m, inside_m, targets, wanted } = this;
    this.measureBoundaries();
    const leaves = this.leaves(outside_m);
    const collides = this.collides(inside_m);
    if (leaves) events.report(now_s, 'workspace', -1, this.outside_m, 0);
    if (collides) events.report(now_s, 'self_collision', -1, this.inside_m, 0);
    if (leaves || collides) {
      wanted.set(targets);
      targets.set(this.before);
      for (let j = 0; j < this.spec.joints.length; j++)
        brakeTarget(this.spec.joints[j], this.dt_s, targets, 2 * j);
      this.outside_m = outside_m;
      this.inside_m = inside_m;
      for (let g = 0; g < this.groups.length; g++) this.letGoOn(this.groups[g]);
    }
    this.noticeInside();
  }

  /** The joints of a group go on as they wanted to, where the others, as they now are, leave room for it. */
  private letGoOn(group: readonly number[]): void {
    const { outside_m, inside_m, targets, wanted, braked } = this;
    braked.set(targets);
    for (let i = 0; i < group.length; i++) copyTarget(wanted, targets, group[i]);
    this.measureBoundaries();
    if (!this.leaves(outside_m) && !this.collides(inside_m)) return;
    targets.set(braked);
    this.outside_m = outside_m;
    this.inside_m = inside_m;
  }

  /** Further outside than so far and than it may be. */
  private leaves(before_m: number): boolean {
    return this.outside_m > Math.max(before_m + DEEPER_M, this.outsideAllowed_m);
  }

  private collides(before_m: number): boolean {
    return this.inside_m > Math.max(before_m + DEEPER_M, this.insideAllowed_m);
  }

  private noticeInside(): void {
    if (this.outside_m === 0) this.outsideAllowed_m = 0;
    if (this.inside_m === 0) this.insideAllowed_m = 0;
  }

  /** Where targets that brake come to rest, and halfway there: a fast leg may pass another on its way. */
  private measureBoundaries(): void {
    this.outside_m = 0;
    this.inside_m = 0;
    this.measureAt(0.5);
    this.measureAt(1);
  }

  /** @param share of the way to where they come to rest */
  private measureAt(share: number): void {
    const { targets, place_rad, spec } = this;
    for (let j = 0; j < place_rad.length; j++) {
      const target = targets[2 * j];
      place_rad[j] = target + share * (restingPlace_rad(spec.joints[j], target, targets[2 * j + 1]) - target);
    }
    this.outside_m = Math.max(this.outside_m, this.workspace.outside_m(place_rad));
    this.inside_m = Math.max(this.inside_m, this.selfCollision.outside_m(place_rad));
  }
}

function copyTarget(from: Float64Array, to: Float64Array, joint: number): void {
  to[2 * joint] = from[2 * joint];
  to[2 * joint + 1] = from[2 * joint + 1];
}

/** Each joint with the first chain that it is part of; one that is part of none by itself. */
function jointsByChain({ joints, chains }: RobotSpec): number[][] {
  const chainOf = joints.map(({ name }) =>
    chains.findIndex(({ links }) => links.some((link) => link.joint === name)),
  );
  const alone = joints.flatMap((_, j) => (chainOf[j] < 0 ? [[j]] : []));
  return [...chains.map((_, c) => joints.flatMap((_, j) => (chainOf[j] === c ? [j] : []))), ...alone];
}
