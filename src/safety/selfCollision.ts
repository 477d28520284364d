import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import { segmentDistance_m } from './segments.js';

/** A chain of so many joints reaches back to what it stands on; a leg of three does not. */
const REACHES_BACK = 4;

/**
 * Keeps a robot from running into itself: its chains are capsules from joint to joint and to the tip,
 * `self_collision.radius_m` thick. Those of different chains stay apart, and the last two links of an arm
 * from its base: what leads from its origin to the arm's second joint. Other links of one chain are kept
 * apart by the position limits of the joints between them.
 */
export class SelfCollision {
  private readonly chains: Chain[];
  private readonly clearance_m: number;
  /** End points of the last two links of each chain: these are what meets others. */
  private readonly points: Float64Array;
  /** End points of an arm's base, then of the link that is compared with it. */
  private readonly pair = new Float64Array(12);

  constructor(spec: RobotSpec) {
    const chains = spec.self_collision ? spec.chains.filter((c) => c.links.length > 1) : [];
    this.chains = chains.map((c) => new Chain(c, spec));
    this.clearance_m = 2 * (spec.self_collision?.radius_m ?? 0);
    this.points = new Float64Array(9 * this.chains.length);
  }

  /** How deep capsules reach into each other in a pose, m; 0 where none do. */
  outside_m(q_rad: ArrayLike<number>): number {
    const { chains, points } = this;
    let worst = 0;
    for (let c = 0; c < chains.length; c++) {
      const chain = chains[c];
      chain.update(q_rad);
      chain.copyJoint(chain.joints.length - 2, points, 9 * c);
      chain.copyJoint(chain.joints.length - 1, points, 9 * c + 3);
      points.set(chain.tip_m, 9 * c + 6);
      if (chain.joints.length >= REACHES_BACK) worst = Math.max(worst, this.intoBase_m(chain, 9 * c));
    }
    for (let a = 0; a < 9 * chains.length; a += 9)
      for (let b = a + 9; b < 9 * chains.length; b += 9) {
        if (this.farApart(a, b)) continue;
        for (let s = 0; s < 6; s += 3)
          for (let t = 0; t < 6; t += 3)
            worst = Math.max(worst, this.clearance_m - segmentDistance_m(points, a + s, b + t));
      }
    return worst;
  }

  /** How deep the last two links of an arm reach into its base. @param at their end points in `points` */
  private intoBase_m(chain: Chain, at: number): number {
    const { pair, points, clearance_m } = this;
    let worst = 0;
    chain.copyJoint(1, pair, 3);
    for (let link = 0; link < 6; link += 3) {
      for (let i = 0; i < 6; i++) pair[6 + i] = points[at + link + i];
      worst = Math.max(worst, clearance_m - segmentDistance_m(pair, 0, 6));
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
