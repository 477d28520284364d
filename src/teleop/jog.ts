import { Chain } from '../robot/kinematics.js';
import { dampedLeastSquares } from '../robot/leastSquares.js';
import type { RobotSpec } from '../robot/spec.js';
import type { Hand } from './hand.js';

/** Metres that count as much as a radian: about the length that a small arm turns its tool about. */
export const METRES_PER_RAD = 0.15;
/** Below this manipulability, and by up to this much, the inverse is damped: a quarter of what an arm of half a metre has at its best places. */
const NEAR_SINGULAR = 1.5e-5;
const MOST_DAMPING = 0.03;
/** Position, and two of the three angles: an arm of five joints has no third. */
const ROWS = 5;

/**
 * Leads an arm's tool by a hand: its speed in space, its pitch about the level axis across it and its
 * roll about its own; what the hand does not turn keeps its angle. Joints that the tool does not hang
 * on, a gripper, open and close.
 */
export class CartesianJog {
  private readonly tool: Chain;
  private readonly grippers: number[];
  private readonly approach: readonly number[];
  private readonly J: Float64Array;
  private readonly v = new Float64Array(ROWS);
  private readonly rates: Float64Array;
  private readonly locked: Uint8Array;

  /** @throws RangeError where the robot has no tool; ask `canJog` before */
  constructor(private readonly spec: RobotSpec) {
    const chain = spec.chains.find((c) => c.kind === 'tool');
    if (!chain) throw new RangeError(`${spec.name} has no tool to jog`);
    this.tool = new Chain(chain, spec);
    const n = this.tool.joints.length;
    this.grippers = spec.joints.map((_, j) => j).filter((j) => !this.tool.joints.includes(j));
    const length = Math.hypot(...chain.tip_m);
    this.approach = length > 0 ? chain.tip_m.map((x) => x / length) : [1, 0, 0];
    this.J = new Float64Array(ROWS * n);
    this.rates = new Float64Array(n);
    this.locked = new Uint8Array(n);
  }

  static canJog(spec: RobotSpec): boolean {
    return spec.chains.some((c) => c.kind === 'tool');
  }

  /** Moves joint targets on by what the hand asks for in `dt_s`; they stay in range. */
  advance(hand: Hand, dt_s: number, targets_rad: Float64Array): void {
    const { spec, tool, v, rates, locked } = this;
    const turn_rad_s = spec.person.tool_m_s / METRES_PER_RAD;
    tool.update(targets_rad);
    for (let k = 0; k < 3; k++) v[k] = spec.person.tool_m_s * hand.linear[k];
    v[3] = METRES_PER_RAD * turn_rad_s * hand.pitch;
    v[4] = METRES_PER_RAD * turn_rad_s * hand.roll;
    locked.fill(0);
    // A joint at the end of its range is no part of the arm; without it others may come to their ends.
    for (let round = 0; round <= rates.length; round++) {
      this.jacobian();
      dampedLeastSquares(this.J, ROWS, rates.length, v, rates, NEAR_SINGULAR, MOST_DAMPING);
      if (!this.lock(targets_rad, dt_s)) break;
    }
    this.slowDown();
    for (let i = 0; i < rates.length; i++) this.move(tool.joints[i], rates[i] * dt_s, targets_rad);
    for (const j of this.grippers) {
      const { velocity_rad_s } = spec.joints[j];
      this.move(j, spec.person.joint_share * velocity_rad_s * hand.gripper * dt_s, targets_rad);
    }
  }

  private jacobian(): void {
    const { tool, J, locked, approach } = this;
    const { axes, anchors, tip_m: p, rotation: R } = tool;
    const n = tool.joints.length;
    const along = [0, 1, 2].map(
      (r) => R[3 * r] * approach[0] + R[3 * r + 1] * approach[1] + R[3 * r + 2] * approach[2],
    );
    // Level, across the tool; of no length where the tool points straight up or down, which has no pitch.
    const level = Math.hypot(along[0], along[1]);
    const across = level > 1e-3 ? [-along[1] / level, along[0] / level, 0] : [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const o = 3 * i;
      const free = locked[i] ? 0 : 1;
      const [ax, ay, az] = [free * axes[o], free * axes[o + 1], free * axes[o + 2]];
      const [rx, ry, rz] = [p[0] - anchors[o], p[1] - anchors[o + 1], p[2] - anchors[o + 2]];
      J[i] = ay * rz - az * ry;
      J[n + i] = az * rx - ax * rz;
      J[2 * n + i] = ax * ry - ay * rx;
      J[3 * n + i] = METRES_PER_RAD * (ax * across[0] + ay * across[1] + az * across[2]);
      J[4 * n + i] = METRES_PER_RAD * (ax * along[0] + ay * along[1] + az * along[2]);
    }
  }

  /** @returns whether a joint was found that would leave its range */
  private lock(targets_rad: Float64Array, dt_s: number): boolean {
    const { rates, locked, tool, spec } = this;
    let found = false;
    for (let i = 0; i < rates.length; i++) {
      const [low, high] = spec.joints[tool.joints[i]].position_rad;
      const next = targets_rad[tool.joints[i]] + rates[i] * dt_s;
      if (locked[i] || (next >= low && next <= high)) continue;
      locked[i] = 1;
      found = true;
    }
    return found;
  }

  /** All joints alike, so that the tool goes slower on its way, where one would be too fast. */
  private slowDown(): void {
    const { rates, tool, spec } = this;
    let share = 1;
    for (let i = 0; i < rates.length; i++) {
      const most = spec.person.joint_share * spec.joints[tool.joints[i]].velocity_rad_s;
      share = Math.min(share, most / Math.max(most, Math.abs(rates[i])));
    }
    for (let i = 0; i < rates.length; i++) rates[i] *= share;
  }

  private move(j: number, by_rad: number, targets_rad: Float64Array): void {
    const [low, high] = this.spec.joints[j].position_rad;
    targets_rad[j] = Math.min(high, Math.max(low, targets_rad[j] + by_rad));
  }
}
