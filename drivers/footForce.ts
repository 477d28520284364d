import { Chain, tipForce_n } from '../src/robot/kinematics.js';
import { gravityInBody } from '../src/robot/rotation.js';
import { feetOf, type RobotSpec } from '../src/robot/spec.js';
import type { RobotState } from '../src/robot/state.js';

/**
 * Normal force at each foot of a robot without sensors there, from what its drives report: the force
 * that holds their torques in balance. A swinging leg's weight and inertia show as a few newtons.
 */
export class FootForce {
  private readonly legs: readonly Chain[];
  private readonly down = new Float64Array(3);
  private readonly force_n = new Float64Array(3);

  constructor(spec: RobotSpec) {
    this.legs = feetOf(spec).map((foot) => new Chain(foot, spec));
  }

  /** Writes `footForce_n`, from the positions, torques and orientation beside it. */
  update(state: RobotState): void {
    const { down, force_n } = this;
    gravityInBody(state.orientation, down);
    this.legs.forEach((leg, f) => {
      leg.update(state.position_rad);
      if (!tipForce_n(leg, state.torque_nm, force_n)) return;
      const up_n = -(force_n[0] * down[0] + force_n[1] * down[1] + force_n[2] * down[2]);
      state.footForce_n[f] = Math.max(0, up_n);
    });
  }
}
