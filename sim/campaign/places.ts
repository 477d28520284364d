import { Chain } from '../../src/robot/kinematics.js';
import type { RobotSpec } from '../../src/robot/spec.js';

/** Points that are looked at on each link; those of two links may come this much nearer than their middles do, m. */
const POINTS = 12;
const BETWEEN_M = 0.012;
/** Targets may come to rest this much outside of the box, m: what brakes is on its way. */
const SLACK_M = 0.01;

/**
 * Where targets put the robot: the tool in its box, and legs apart from each other, looked at by sampling,
 * with nothing of the kernel's geometry.
 */
export class PlaceCheck {
  private readonly chains: Chain[];
  private readonly tools: Chain[];
  /** It was inside once since it was taken up: then it has to stay there. */
  private inside = false;
  private apart = false;

  constructor(private readonly spec: RobotSpec) {
    this.tools = spec.chains.filter((c) => c.kind === 'tool').map((c) => new Chain(c, spec));
    this.chains = spec.self_collision ? spec.chains.map((c) => new Chain(c, spec)) : [];
  }

  beginAnew(): void {
    this.inside = false;
    this.apart = false;
  }

  /** @returns what is wrong with targets, or undefined */
  faultIn(executed_rad: Float64Array): string | undefined {
    const outside_m = this.outside_m(executed_rad);
    if (outside_m <= 0) this.inside = true;
    else if (this.inside && outside_m > SLACK_M) return `the tool ${outside_m} m outside of its box`;
    const gap_m = this.gap_m(executed_rad);
    const least_m = 2 * (this.spec.self_collision?.radius_m ?? 0);
    if (gap_m >= least_m) this.apart = true;
    else if (this.apart && gap_m < least_m - BETWEEN_M) return `legs ${gap_m} m from each other`;
    return undefined;
  }

  private outside_m(q_rad: Float64Array): number {
    const { workspace } = this.spec;
    let worst = 0;
    for (const tool of this.tools) {
      tool.update(q_rad);
      tool.tip_m.forEach((x, k) => {
        worst = Math.max(worst, workspace!.low_m[k] - x, x - workspace!.high_m[k]);
      });
    }
    return worst;
  }

  private gap_m(q_rad: Float64Array): number {
    const legs = this.chains.map((chain) => {
      chain.update(q_rad);
      const n = chain.joints.length;
      const ends = [chain.anchors.slice(3 * n - 6, 3 * n - 3), chain.anchors.slice(3 * n - 3), chain.tip_m];
      return [0, 1].flatMap((link) => pointsBetween(ends[link], ends[link + 1]));
    });
    let least = Number.POSITIVE_INFINITY;
    for (let a = 0; a < legs.length; a++)
      for (let b = a + 1; b < legs.length; b++)
        for (const p of legs[a])
          for (const q of legs[b]) least = Math.min(least, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
    return least;
  }
}

function pointsBetween(from: ArrayLike<number>, to: ArrayLike<number>): number[][] {
  return Array.from({ length: POINTS }, (_, i) =>
    [0, 1, 2].map((k) => from[k] + ((i + 0.5) / POINTS) * (to[k] - from[k])),
  );
}
