import { UserError } from '../base/errors.js';
import { gravityInBody, uprightness } from '../robot/rotation.js';
import type { RobotSpec } from '../robot/spec.js';
import { Stance } from '../robot/stance.js';
import { PoseMotion, type Waypoint } from '../safety/stop.js';
import { jointMirror } from '../tasks/mirror.js';
import type { Mirror } from '../tasks/task.js';
import { type Behaviour, CURVE_HZ, type Progress, type View } from './behaviour.js';

/** Upright enough to stand up from where it lies: the cosine of the body's tilt. */
const PRONE = 0.8;
/** Rolls before it gives up. */
const ROLLS = 6;
/** It stands once it has stood for this long, s; and it has this long to come to rest. */
const STOOD_S = 0.3;
const SETTLES_S = 1;

type Phase = 'fold' | 'roll' | 'stand';

/**
 * Gets a legged robot up along the poses of `get_up` in robot.yaml: fold the legs, see how it lies, roll
 * over where that is not on its belly, stand up from there. Lying on the left side it rolls as in a
 * mirror; a roll that led nowhere is tried to the other side.
 */
export class GetUpScript implements Behaviour {
  readonly name = 'get up by script';
  readonly rate_hz = CURVE_HZ;
  private readonly stance: Stance;
  private readonly fold: PoseMotion;
  private readonly rollFromRight: PoseMotion;
  private readonly rollFromLeft: PoseMotion;
  private readonly stand: PoseMotion;
  private readonly gravity = new Float64Array(3);
  private phase: Phase = 'fold';
  private motion: PoseMotion;
  private rolls = 0;
  private arrivedAt_s = Number.NaN;
  private standsSince_s = Number.NaN;

  /** @throws UserError for a robot without `get_up` in its robot.yaml */
  constructor(spec: RobotSpec) {
    const mirror = jointMirror(spec);
    if (!spec.get_up || !mirror) throw new UserError(`${spec.name}: robot.yaml says nothing of get_up`);
    const { fold, roll, stand_s } = spec.get_up;
    this.stance = new Stance(spec);
    this.fold = new PoseMotion(waypoints([fold]));
    this.rollFromRight = new PoseMotion(waypoints(roll));
    this.rollFromLeft = new PoseMotion(
      waypoints(roll.map((pose) => ({ ...pose, pose_rad: mirrored(mirror, pose.pose_rad) }))),
    );
    this.stand = new PoseMotion([{ pose_rad: spec.joints.map((j) => j.home_rad), seconds: stand_s }]);
    this.motion = this.fold;
  }

  begin(view: View): void {
    this.rolls = 0;
    this.play('fold', this.fold, view);
  }

  next(view: View, targets_rad: Float64Array): Progress {
    const { state, time_s } = view;
    if (!this.motion.pose(time_s, targets_rad)) return 'going';
    if (this.phase === 'stand') return this.judge(view);
    if (this.phase === 'roll') this.play('fold', this.fold, view);
    else if (uprightness(state.orientation) > PRONE) this.play('stand', this.stand, view);
    else if (this.rolls === ROLLS) return 'failed';
    else this.play('roll', this.chooseRoll(view), view);
    return 'going';
  }

  private chooseRoll({ state }: View): PoseMotion {
    gravityInBody(state.orientation, this.gravity);
    const onLeft = this.gravity[1] >= 0;
    const other = this.rolls++ % 2 === 1;
    return onLeft === other ? this.rollFromRight : this.rollFromLeft;
  }

  private judge(view: View): Progress {
    const { state, time_s } = view;
    if (Number.isNaN(this.arrivedAt_s)) this.arrivedAt_s = time_s;
    if (!this.stance.holds(state)) this.standsSince_s = Number.NaN;
    else if (Number.isNaN(this.standsSince_s)) this.standsSince_s = time_s;
    if (time_s - this.standsSince_s >= STOOD_S) return 'done';
    if (time_s - this.arrivedAt_s < SETTLES_S) return 'going';
    if (++this.rolls > ROLLS) return 'failed';
    this.play('fold', this.fold, view);
    return 'going';
  }

  private play(phase: Phase, motion: PoseMotion, { executed_rad, time_s }: View): void {
    this.phase = phase;
    this.motion = motion;
    this.arrivedAt_s = Number.NaN;
    this.standsSince_s = Number.NaN;
    motion.begin(executed_rad, time_s);
  }
}

/** Each pose, and then the time for which it is held. */
function waypoints(poses: NonNullable<RobotSpec['get_up']>['roll']): Waypoint[] {
  return poses.flatMap(({ pose_rad, seconds, hold_s }) => [
    { pose_rad, seconds },
    { pose_rad, seconds: hold_s },
  ]);
}

function mirrored({ from, sign }: Mirror, pose_rad: readonly number[]): number[] {
  return from.map((i, j) => sign[j] * pose_rad[i]);
}
