import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import { approachSpeed_rad_s } from './braking.js';

/**
 * Reduced speed for persons, after ISO 10218-1, 5.6.2: each joint at a share of its limit, and the
 * tool no faster than `person.tool_m_s`. The tool's speed is bounded by the sum of every joint's speed
 * times its lever, so that joints which lag behind others cannot undo what cancelled out.
 */
export class ReducedSpeed {
  private readonly tools: Chain[];
  private readonly wanted: Float64Array;
  private readonly kept: Float64Array;
  private readonly pose_rad: Float64Array;

  constructor(private readonly spec: RobotSpec) {
    this.tools = spec.chains.filter((c) => c.kind === 'tool').map((c) => new Chain(c, spec));
    this.wanted = new Float64Array(spec.joints.length);
    this.kept = new Float64Array(spec.joints.length);
    this.pose_rad = new Float64Array(spec.joints.length);
  }

  /**
   * Lowers speed limits for one tick.
   * @param asked_rad where the targets are to go
   * @param targets [target, target velocity] of each joint
   * @param limits_rad_s of each joint, lowered in place
   */
  limit(asked_rad: ArrayLike<number>, targets: Float64Array, dt_s: number, limits_rad_s: Float64Array): void {
    const { spec, wanted, kept, pose_rad } = this;
    for (let j = 0; j < pose_rad.length; j++) pose_rad[j] = targets[2 * j];
    for (const tool of this.tools) {
      tool.update(pose_rad);
      let unavoidable = 0;
      let additional = 0;
      for (let i = 0; i < tool.joints.length; i++) {
        const j = tool.joints[i];
        const joint = spec.joints[j];
        const lever_m = tool.lever_m(i);
        // What a joint cannot lose within the tick is spent already; the others share what is left.
        kept[j] = Math.max(0, Math.abs(targets[2 * j + 1]) - joint.acceleration_rad_s2 * dt_s);
        const speed = approachSpeed_rad_s(joint, asked_rad[j] - targets[2 * j], limits_rad_s[j], dt_s);
        wanted[j] = Math.max(0, speed - kept[j]);
        unavoidable += lever_m * kept[j];
        additional += lever_m * wanted[j];
      }
      const left = Math.max(0, spec.person.tool_m_s - unavoidable);
      const share = additional > left ? left / additional : 1;
      for (let i = 0; i < tool.joints.length; i++) {
        const j = tool.joints[i];
        limits_rad_s[j] = Math.min(limits_rad_s[j], kept[j] + share * wanted[j]);
      }
    }
  }
}
