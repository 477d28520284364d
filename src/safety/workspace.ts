import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';

/** The box that the tool stays in, in the frame of the base. */
export class Workspace {
  private readonly tools: Chain[];

  constructor(private readonly spec: RobotSpec) {
    this.tools = spec.workspace
      ? spec.chains.filter((c) => c.kind === 'tool').map((c) => new Chain(c, spec))
      : [];
  }

  /** How far the tool is outside of the box in a pose, m; 0 inside. */
  outside_m(q_rad: ArrayLike<number>): number {
    let worst = 0;
    for (const tool of this.tools) {
      const { low_m, high_m } = this.spec.workspace!;
      tool.update(q_rad);
      for (let k = 0; k < 3; k++)
        worst = Math.max(worst, low_m[k] - tool.tip_m[k], tool.tip_m[k] - high_m[k]);
    }
    return worst;
  }
}
