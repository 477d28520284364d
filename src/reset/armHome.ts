import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import { PoseMotion, type Waypoint } from '../safety/stop.js';
import { type Behaviour, CURVE_HZ, type Progress, type View } from './behaviour.js';
import { Clearance } from './clearance.js';

/** The way keeps this distance from table and things; where it begins nearer, it comes no nearer. */
const MARGIN_M = 0.02;
/** Poses along the way that are looked at. */
const SAMPLES = 24;
/** Share of the speed limits on the way. */
const SPEED_SHARE = 0.2;
const OPENS_S = 0.6;
/** At home, every joint within this, after as long as it may take to settle, s. */
const HOME_RAD = 0.15;
const SETTLES_S = 1.5;

/**
 * Brings an arm home: opens the gripper, then goes by the first way that is clear of table and things:
 * straight, or one part of the arm after the other, or by way of the arm held upright. Where none is
 * clear it does not move.
 */
export class ArmHome implements Behaviour {
  readonly name = 'arm home';
  readonly rate_hz = CURVE_HZ;
  private readonly clearance: Clearance;
  private readonly home_rad: number[];
  private readonly chain: readonly number[];
  private motion: PoseMotion | undefined;
  private arrivedAt_s = Number.NaN;

  constructor(private readonly spec: RobotSpec) {
    this.clearance = new Clearance(spec);
    this.home_rad = spec.joints.map((j) => j.home_rad);
    const tool = spec.chains.find((c) => c.kind === 'tool');
    this.chain = tool ? [...new Chain(tool, spec).joints] : [];
  }

  begin({ executed_rad, state, time_s }: View): void {
    const open = this.opened(executed_rad);
    const way = this.clearWay(open, state);
    this.motion = way && new PoseMotion([{ pose_rad: open, seconds: OPENS_S }, ...way]);
    this.motion?.begin(executed_rad, time_s);
    this.arrivedAt_s = Number.NaN;
  }

  next({ time_s, state, executed_rad }: View, targets_rad: Float64Array): Progress {
    if (!this.motion) {
      targets_rad.set(executed_rad);
      return 'failed';
    }
    if (!this.motion.pose(time_s, targets_rad)) return 'going';
    if (Number.isNaN(this.arrivedAt_s)) this.arrivedAt_s = time_s;
    const away = this.chain.some((j) => Math.abs(state.position_rad[j] - this.home_rad[j]) > HOME_RAD);
    if (!away) return 'done';
    return time_s - this.arrivedAt_s > SETTLES_S ? 'failed' : 'going';
  }

  /** The pose with the gripper open; joints that are neither of the chain nor the gripper stay. */
  private opened(q_rad: ArrayLike<number>): number[] {
    const pose = Array.from(q_rad);
    const { gripper, joints } = this.spec;
    if (gripper) pose[joints.findIndex((j) => j.name === gripper.joint)] = gripper.open_rad;
    return pose;
  }

  private clearWay(from_rad: readonly number[], state: RobotState): Waypoint[] | undefined {
    return this.ways(from_rad)
      .map((poses) => this.timed(from_rad, poses))
      .find((way) => this.isClear(from_rad, way, state));
  }

  private ways(from_rad: readonly number[]): number[][][] {
    const { chain, spec } = this;
    const home = from_rad.map((q, j) => (chain.includes(j) ? this.home_rad[j] : q));
    const after = (first: readonly number[]) => from_rad.map((q, j) => (first.includes(j) ? home[j] : q));
    const inner = chain.slice(0, Math.ceil(chain.length / 2));
    const outer = chain.slice(Math.ceil(chain.length / 2));
    const upright = from_rad.map((q, j) => {
      const [low, high] = spec.joints[j].position_rad;
      return chain.indexOf(j) > 0 ? Math.min(high, Math.max(low, 0)) : q;
    });
    const turned = upright.map((q, j) => (j === chain[0] ? home[j] : q));
    return [[home], [after(inner), home], [after(outer), home], [upright, turned, home]];
  }

  /** As long for each part as its joint that has furthest to go needs. */
  private timed(from_rad: readonly number[], poses: readonly number[][]): Waypoint[] {
    return poses.map((pose_rad, i) => {
      const from = i === 0 ? from_rad : poses[i - 1];
      const seconds = pose_rad.map((q, j) => {
        // A minimum-jerk curve is 15/8 times as fast in its middle as on average.
        const speed = (SPEED_SHARE * this.spec.joints[j].velocity_rad_s * 8) / 15;
        return Math.abs(q - from[j]) / speed;
      });
      return { pose_rad, seconds: Math.max(0.3, ...seconds) };
    });
  }

  private isClear(from_rad: readonly number[], way: readonly Waypoint[], state: RobotState): boolean {
    const begins_m = this.clearance.of_m(from_rad, state);
    const least_m = Math.min(MARGIN_M, begins_m - 1e-3);
    return way.every(({ pose_rad }, i) => {
      const from = i === 0 ? from_rad : way[i - 1].pose_rad;
      for (let s = 1; s <= SAMPLES; s++) {
        const pose = pose_rad.map((q, j) => from[j] + (s / SAMPLES) * (q - from[j]));
        if (this.clearance.of_m(pose, state) < least_m) return false;
      }
      return true;
    });
  }
}
