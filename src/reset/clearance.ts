import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';

/** Points that are looked at on each link. */
const POINTS = 4;

/**
 * How far an arm's chain is from the table, the plane of its base, and from the things on it, in a pose.
 * Links are lines; things are the boxes around them, where something that sees reports them.
 */
export class Clearance {
  private readonly chains: Chain[];

  constructor(private readonly spec: RobotSpec) {
    this.chains = spec.chains.filter((c) => c.kind === 'tool').map((c) => new Chain(c, spec));
  }

  /** @returns the smallest distance, m; negative inside of something */
  of_m(q_rad: ArrayLike<number>, state: RobotState): number {
    let least = Number.POSITIVE_INFINITY;
    for (const chain of this.chains) {
      chain.update(q_rad);
      const links = chain.joints.length;
      for (let i = 1; i <= links; i++) {
        const from = chain.anchors.subarray(3 * (i - 1), 3 * i);
        const to = i < links ? chain.anchors.subarray(3 * i, 3 * i + 3) : chain.tip_m;
        for (let p = 1; p <= POINTS; p++) {
          const point = [0, 1, 2].map((k) => from[k] + (p / POINTS) * (to[k] - from[k]));
          least = Math.min(least, point[2], this.toObjects_m(point, state));
        }
      }
    }
    return least;
  }

  private toObjects_m(point: readonly number[], { object_m }: RobotState): number {
    let least = Number.POSITIVE_INFINITY;
    this.spec.objects.forEach(({ shape, size_m }, o) => {
      const half = shape === 'box' ? size_m : [size_m[0], size_m[0], size_m[1]];
      const outside = half.map((h, k) => Math.abs(point[k] - object_m[3 * o + k]) - h);
      const distance = Math.hypot(...outside.map((d) => Math.max(0, d)));
      least = Math.min(least, distance > 0 ? distance : Math.max(...outside));
    });
    return least;
  }
}
