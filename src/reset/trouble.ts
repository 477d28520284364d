import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import type { Authority } from '../safety/authority.js';
import type { Cause } from '../safety/events.js';
import type { KernelMode } from '../safety/kernel.js';
import type { View } from './behaviour.js';

/**
 * What a robot cannot go on from by itself. `fall`: it lies, braked. `fence`: it is about to leave its
 * fence, or has. `workspace`: its tool is outside of its box. `stuck_joint`: a joint does not come to
 * its target. `no_progress`: it stays where it is. `time_out`: its episode is over, and the next one
 * begins at home. `latched`: sensing that cannot be believed, which is for a person.
 */
export type Trouble = 'fall' | 'fence' | 'workspace' | 'stuck_joint' | 'no_progress' | 'time_out' | 'latched';

/** Of the control loop: a `RobotStatus` is one. */
export interface Condition {
  readonly mode: KernelMode;
  readonly authority: Authority;
  readonly latched: Cause | undefined;
  /** It stopped for what a recovery may end. */
  readonly awaits_recovery: boolean;
  /** Number of the policy in use; 0 for none. */
  readonly policy: number;
}

/** A robot that fell is let lie for this long, until its drives have braked it, s. */
const LIES_S = 0.6;
/** Turned back before the fence by this, m: stopping at it is for when that fails. */
const FENCE_MARGIN_M = 0.5;
/** Outside of its box by this for this long: what is pushed out for a moment comes back by itself. */
const OUTSIDE_M = 0.02;
const OUTSIDE_S = 1;
/** Further from its target than this, slower than this share of its limit, for this long. */
const STUCK_RAD = 0.35;
const STUCK_SHARE = 0.03;
const STUCK_S = 2;
/** Within this of where it was counts as no progress, m. */
const PROGRESS_M = 0.25;

export interface TroubleOptions {
  /** Of a robot that is to move on; 0: it need not. */
  readonly noProgress_s: number;
  /** Lying is a part of the task: no trouble. */
  readonly mayLie: boolean;
}

/** Looks at a robot now and then, and says when it is in trouble. */
export class TroubleWatch {
  private readonly tools: Chain[];
  private readonly since_s = new Map<Trouble, number>();
  private readonly place_m = [Number.NaN, Number.NaN];
  private movedAt_s = 0;

  constructor(
    private readonly spec: RobotSpec,
    private readonly options: TroubleOptions,
  ) {
    this.tools = spec.chains.filter((c) => c.kind === 'tool').map((c) => new Chain(c, spec));
  }

  /** Whatever was counted counts anew. */
  forget(): void {
    this.since_s.clear();
    this.place_m.fill(Number.NaN);
  }

  look(view: View, condition: Condition): Trouble | undefined {
    const { mode, latched, authority, awaits_recovery, policy } = condition;
    if (latched) return latched === 'emergency_stop' ? undefined : 'latched';
    const { time_s } = view;
    const down = mode === 'damp' && awaits_recovery && !this.options.mayLie;
    if (this.lasts('fall', down, time_s, LIES_S)) return 'fall';
    if (awaits_recovery && mode === 'stopped') return 'fence';
    if (authority !== 'policy' || policy === 0) {
      this.place_m.fill(Number.NaN);
      this.lasts('stuck_joint', false, time_s, 0);
      return undefined;
    }
    if (this.nearsFence(view)) return 'fence';
    if (this.lasts('workspace', this.toolIsOutside(view), time_s, OUTSIDE_S)) return 'workspace';
    if (this.lasts('stuck_joint', this.jointIsStuck(view), time_s, STUCK_S)) return 'stuck_joint';
    return this.makesNoProgress(view) ? 'no_progress' : undefined;
  }

  private lasts(trouble: Trouble, holds: boolean, now_s: number, seconds: number): boolean {
    if (!holds) {
      this.since_s.delete(trouble);
      return false;
    }
    const since_s = this.since_s.get(trouble) ?? now_s;
    this.since_s.set(trouble, since_s);
    return now_s - since_s >= seconds;
  }

  private nearsFence({ place_m }: View): boolean {
    if (!this.spec.geofence) return false;
    const half_m = this.spec.geofence.side_m / 2;
    return Math.max(Math.abs(place_m[0]), Math.abs(place_m[1])) > half_m - FENCE_MARGIN_M;
  }

  private toolIsOutside({ state }: View): boolean {
    const { workspace } = this.spec;
    return this.tools.some((tool) => {
      tool.update(state.position_rad);
      return [...tool.tip_m].some(
        (x, k) => x < workspace!.low_m[k] - OUTSIDE_M || x > workspace!.high_m[k] + OUTSIDE_M,
      );
    });
  }

  private jointIsStuck({ state, executed_rad }: View): boolean {
    return this.spec.joints.some(
      ({ velocity_rad_s }, j) =>
        Math.abs(executed_rad[j] - state.position_rad[j]) > STUCK_RAD &&
        Math.abs(state.velocity_rad_s[j]) < STUCK_SHARE * velocity_rad_s,
    );
  }

  private makesNoProgress({ place_m, time_s }: View): boolean {
    const { noProgress_s } = this.options;
    if (noProgress_s === 0 || this.spec.base === 'fixed') return false;
    const way_m = Math.hypot(place_m[0] - this.place_m[0], place_m[1] - this.place_m[1]);
    if (way_m <= PROGRESS_M) return time_s - this.movedAt_s > noProgress_s;
    // Nothing is known of where it was at first: NaN is no way either.
    this.movedAt_s = time_s;
    this.place_m[0] = place_m[0];
    this.place_m[1] = place_m[1];
    return false;
  }
}
