import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import { segmentDistance_m } from './segments.js';

/**
 * Keeps a robot from running into itself: its chains are capsules from joint to joint and to the tip,
 * `self_collision.radius_m` thick, and those of different chains stay apart. Links of one chain are
 * kept apart by the position limits of the joints between them.
 */
export class SelfCollision {
  private readonly chains: Chain[];
  private readonly clearance_m: number;
  /** End points of the last two links of each chain: these are what meets others. */
  private readonly points: Float64Array;

  constructor(spec: RobotSpec) {
    const chains = spec.self_collision ? spec.chains.filter((c) => c.links.length > 1) : [];
    this.chains = chains.map((c) => new Chain(c, spec));
    this.clearance_m = 2 * (spec.self_collision?.radius_m ?? 0);
    this.points = new Float64Array(9 * this.chains.length);
  }

  /** How deep capsules reach into each other in a pose, m; 0 where none do. */
  outside_m(q_rad: ArrayLike<number>): number {
    const { chains, points } = this;
    for (let c = 0; c < chains.length; c++) {
      const chain = chains[c];
      chain.update(q_rad);
      chain.copyJoint(chain.joints.length - 2, points, 9 * c);
      chain.copyJoint(chain.joints.length - 1, points, 9 * c + 3);
      points.set(chain.tip_m, 9 * c + 6);
    }
    let worst = 0;
    for (let a = 0; a < 9 * chains.length; a += 9)
      for (let b = a + 9; b < 9 * chains.length; b += 9) {
        if (this.farApart(a, b)) continue;
        for (let s = 0; s < 6; s += 3)
          for (let t = 0; t < 6; t += 3)
            worst = Math.max(worst, this.clearance_m - segmentDistance_m(points, a + s, b + t));
      }
    return worst;
  }

  /** Whether the boxes around two chains' points do not even touch: most pairs, most of the time. */
  private farApart(a: number, b: number): boolean {
    const { points: p, clearance_m } = this;
    for (let k = 0; k < 3; k++) {
      const lowA = Math.min(p[a + k], p[a + 3 + k], p[a + 6 + k]);
      const highA = Math.max(p[a + k], p[a + 3 + k], p[a + 6 + k]);
      const lowB = Math.min(p[b + k], p[b + 3 + k], p[b + 6 + k]);
      const highB = Math.max(p[b + k], p[b + 3 + k], p[b + 6 + k]);
      if (lowA - highB > clearance_m || lowB - highA > clearance_m) return true;
    }
    return false;
  }
}
