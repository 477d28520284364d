import { UserError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { gravityInBody, uprightness } from '../robot/rotation.js';
import type { RobotSpec } from '../robot/spec.js';
import { jointMirror } from '../tasks/mirror.js';
import { type Moment, type Task, targetsToAction } from '../tasks/task.js';
import { Trot } from './trot.js';

/** Upright enough to stand up from where it lies: the cosine of the body's tilt. */
const PRONE = 0.8;
/** A waypoint is reached when every joint is this close, rad, or after so many steps. */
const REACHED_RAD = 0.3;
const STEPS = 16;
/** How far the joint that has the longest way goes in a step, rad. */
const SPEED_RAD = { fold: 0.3, roll: 0.4, stand: 0.1, walk: 0.5 } as const;
/** A trot that nothing corrects is slower than what it is asked for: it is asked for this many times the speed that a success takes. */
const HASTE = 2;

type Phase = keyof typeof SPEED_RAD;

/**
 * A scripted demonstrator of task `rise`, along the poses of `get_up` in robot.yaml, as the script for
 * getting up has them: fold the legs, roll over where it is not on its belly, stand up; and trot on from there,
 * where the task ends in walking. Unlike the script it
 * knows no time: how it goes on follows from how the robot lies and where its joints are, at full speed from
 * the first step. A curve that sets out slowly, or a pose that is held, would teach a clone to stay there.
 */
export class RiseExpert {
  private readonly home_rad: number[];
  private readonly fold_rad: readonly number[];
  /** Poses of a roll from the right side, and from the left. */
  private readonly rolls: readonly (readonly (readonly number[])[])[];
  private readonly targets_rad: Float64Array;
  private readonly trot: Trot;
  private readonly walking_rad: Float64Array;
  private readonly gravity = new Float64Array(3);
  private phase: Phase = 'fold';
  private pose_rad: ArrayLike<number>;
  /** Poses of the roll that are still to come. */
  private ahead: (readonly number[])[] = [];
  private steps = 0;
  private tries = 0;

  /**
   * @param noise deviation of what is added to an action of [−1, 1]
   * @throws UserError for a robot without `get_up` in its robot.yaml
   */
  constructor(
    private readonly spec: RobotSpec,
    private readonly task: Task,
    private readonly noise: number,
  ) {
    const mirror = jointMirror(spec);
    if (!spec.get_up || !mirror) throw new UserError(`${spec.name}: robot.yaml says nothing of get_up`);
    const roll = spec.get_up.roll.map((pose) => pose.pose_rad);
    const { from, sign } = mirror;
    this.home_rad = spec.joints.map((j) => j.home_rad);
    this.fold_rad = spec.get_up.fold.pose_rad;
    this.rolls = [roll, roll.map((pose) => from.map((i, j) => sign[j] * pose[i]))];
    this.targets_rad = new Float64Array(spec.joints.length);
    this.pose_rad = this.fold_rad;
    this.trot = new Trot(spec);
    this.walking_rad = Float64Array.from(this.home_rad);
  }

  /** Starts an episode. */
  begin(): void {
    this.tries = 0;
    this.goTo('fold', this.fold_rad);
  }

  /** The action for a moment, into `out`. */
  act({ state, executed_rad }: Moment, random: Random, out: Float32Array): void {
    const { position_rad, orientation } = state;
    const upright = uprightness(orientation) > PRONE;
    if ((this.phase === 'stand' || this.phase === 'walk') && !upright) this.goTo('fold', this.fold_rad);
    if (this.phase === 'walk') this.stepOn();
    const reached = position_rad.every((q, j) => Math.abs(q - this.pose_rad[j]) < REACHED_RAD);
    this.steps++;
    if (this.phase !== 'walk' && (reached || this.steps > STEPS)) this.goOn(upright, orientation);
    const { pose_rad, targets_rad } = this;
    let longest = 0;
    for (let j = 0; j < targets_rad.length; j++)
      longest = Math.max(longest, Math.abs(pose_rad[j] - executed_rad[j]));
    const share = Math.min(1, SPEED_RAD[this.phase] / longest);
    for (let j = 0; j < targets_rad.length; j++)
      targets_rad[j] = executed_rad[j] + share * (pose_rad[j] - executed_rad[j]);
    targetsToAction(this.task.contract.action, targets_rad, executed_rad, out);
    for (let j = 0; j < out.length; j++)
      out[j] = Math.min(1, Math.max(-1, out[j] + this.noise * random.normal()));
  }

  /** Of the trot: where the legs belong a step later. */
  private stepOn(): void {
    const { spec, task } = this;
    const forward_m_s = HASTE * task.endSpeed_m_s!;
    this.trot.next({ forward_m_s, left_m_s: 0, turn_rad_s: 0 }, 1 / spec.rates.policy_hz, this.walking_rad);
  }

  private goOn(upright: boolean, orientation: Float64Array): void {
    if (this.phase === 'stand') {
      if (this.task.endSpeed_m_s === undefined) return;
      this.trot.begin();
      this.goTo('walk', this.walking_rad);
      return;
    }
    const next = this.ahead.shift();
    if (next) this.goTo('roll', next);
    else if (this.phase === 'roll') this.goTo('fold', this.fold_rad);
    else if (upright) this.goTo('stand', this.home_rad);
    else {
      gravityInBody(orientation, this.gravity);
      // Away from the side that it lies on; where that led nowhere, every fourth time to the other.
      const onLeft = this.gravity[1] >= 0;
      const other = this.tries++ % 4 === 3;
      const [first, ...ahead] = this.rolls[onLeft === other ? 0 : 1];
      this.ahead = ahead;
      this.goTo('roll', first);
    }
  }

  private goTo(phase: Phase, pose_rad: ArrayLike<number>): void {
    this.phase = phase;
    this.pose_rad = pose_rad;
    this.steps = 0;
    if (phase !== 'roll') this.ahead = [];
  }
}
