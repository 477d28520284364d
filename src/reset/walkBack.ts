import { wrapAngle_rad, yaw_rad } from '../robot/rotation.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';
import { PoseMotion } from '../safety/stop.js';
import { type Behaviour, CURVE_HZ, type Progress, type View } from './behaviour.js';
import { Trot, type Twist } from './trot.js';

/** Back at the start within this. */
const BACK_M = 0.3;
const STANDS_S = 1;
const SPEED_M_S = 0.3;
const TURN_RAD_S = 0.6;
/** Rad/s of turning for each rad that it is off. */
const TURN_GAIN = 1.5;
/** Given up where it came no nearer by `NEARER_M` for this long, s. */
const STUCK_S = 15;
const NEARER_M = 0.05;

/**
 * Walks back to where the robot was started, forwards or backwards, whichever it has to turn less for, by
 * an open-loop trot: what brought it out there may be a policy that cannot turn.
 */
export class WalkBack implements Behaviour {
  readonly name = 'walk back to the start';
  readonly rate_hz = CURVE_HZ;
  private readonly stand: PoseMotion;
  private readonly trot: Trot;
  private readonly twist: Twist = { forward_m_s: 0, left_m_s: 0, turn_rad_s: 0 };
  private time_s = 0;
  private walking = false;
  private nearest_m = Number.POSITIVE_INFINITY;
  private nearestAt_s = 0;

  constructor(spec: RobotSpec) {
    this.stand = new PoseMotion([{ pose_rad: spec.joints.map((j) => j.home_rad), seconds: STANDS_S }]);
    this.trot = new Trot(spec);
  }

  static canWalk(spec: RobotSpec): boolean {
    return feetOf(spec).length === 4;
  }

  begin({ executed_rad, time_s }: View): void {
    this.stand.begin(executed_rad, time_s);
    this.trot.begin();
    this.walking = false;
    this.nearest_m = Number.POSITIVE_INFINITY;
    this.nearestAt_s = time_s;
  }

  next(view: View, targets_rad: Float64Array): Progress {
    const { time_s, place_m } = view;
    const dt_s = this.walking ? time_s - this.time_s : 0;
    this.time_s = time_s;
    if (!this.walking) {
      this.walking = this.stand.pose(time_s, targets_rad);
      return 'going';
    }
    const left_m = Math.hypot(place_m[0], place_m[1]);
    if (dt_s > 0) this.trot.next(this.towardsStart(view), dt_s, targets_rad);
    if (left_m < BACK_M) return 'done';
    if (left_m < this.nearest_m - NEARER_M) {
      this.nearest_m = left_m;
      this.nearestAt_s = time_s;
    }
    return time_s - this.nearestAt_s > STUCK_S ? 'failed' : 'going';
  }

  private towardsStart({ state, place_m }: View): Twist {
    const { twist } = this;
    const bearing = wrapAngle_rad(Math.atan2(-place_m[1], -place_m[0]) - yaw_rad(state.orientation));
    const backwards = Math.abs(bearing) > Math.PI / 2;
    const off = backwards ? wrapAngle_rad(bearing - Math.PI) : bearing;
    twist.turn_rad_s = Math.min(TURN_RAD_S, Math.max(-TURN_RAD_S, TURN_GAIN * off));
    twist.forward_m_s = (backwards ? -1 : 1) * SPEED_M_S * Math.max(0, Math.cos(off)) ** 3;
    return twist;
  }
}
