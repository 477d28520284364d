import type { Random } from '../base/random.js';
import { uprightness } from '../robot/rotation.js';
import type { RobotSpec } from '../robot/spec.js';
import { type ActionContract, type Moment, targetsToAction } from '../tasks/task.js';
import type { View } from './behaviour.js';
import { GetUpScript } from './getUpScript.js';

/** A robot that stood and is tilted further than this has fallen again: the cosine of the tilt. */
const FALLEN = 0.7;

/**
 * A scripted demonstrator of task `rise`: the script for getting up, as actions of the task; then it
 * stands. It adds noise to what it does, which the script makes good again, so that its demonstrations
 * show the way back to the path too.
 */
export class RiseExpert {
  private readonly script: GetUpScript;
  private readonly targets_rad: Float64Array;
  private doing: 'nothing' | 'getting up' | 'standing' = 'nothing';

  /**
   * @param noise deviation of what is added to an action of [−1, 1]
   * @throws UserError for a robot without `get_up` in its robot.yaml
   */
  constructor(
    spec: RobotSpec,
    private readonly contract: ActionContract,
    private readonly noise: number,
  ) {
    this.script = new GetUpScript(spec);
    this.targets_rad = new Float64Array(spec.joints.length);
  }

  /** Starts an episode. */
  begin(): void {
    this.doing = 'nothing';
  }

  /** The action for a moment, into `out`. */
  act(moment: Moment, random: Random, out: Float32Array): void {
    const { state, executed_rad } = moment;
    const view = viewOf(moment);
    if (this.doing === 'standing' && uprightness(state.orientation) < FALLEN) this.doing = 'nothing';
    if (this.doing === 'nothing') this.getUp(view);
    if (this.doing === 'getting up') {
      const progress = this.script.next(view, this.targets_rad);
      if (progress === 'failed') this.getUp(view);
      if (progress === 'done') this.doing = 'standing';
    }
    targetsToAction(this.contract, this.targets_rad, executed_rad, out);
    for (let j = 0; j < out.length; j++)
      out[j] = Math.min(1, Math.max(-1, out[j] + this.noise * random.normal()));
  }

  private getUp(view: View): void {
    this.script.begin(view);
    this.doing = 'getting up';
  }
}

function viewOf({ state, estimate, motion, executed_rad }: Moment): View {
  return { time_s: state.time_s, state, estimate, place_m: motion.position_m, executed_rad };
}
