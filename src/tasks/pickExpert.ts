import type { Random } from '../base/random.js';
import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import { armPose } from './armPose.js';
import { type ActionContract, type Moment, targetsToAction } from './task.js';

/** A pose of the tool, pointing down, and of the gripper; over when reached or when its time is. */
interface Waypoint {
  readonly above: 'object' | 'place';
  /** Height of the tool over the middle of the object, or over where it will stand. */
  readonly height_m: number;
  readonly gripper_rad: number;
  readonly steps: number;
}

const OPEN_RAD = 0.6;
const CLOSED_RAD = -0.15;
const HIGH_M = 0.08;
/** The object goes between the jaws, not against the one that does not move. */
const BESIDE_JAW_M = 0.008;

const WAYPOINTS: readonly Waypoint[] = [
  { above: 'object', height_m: HIGH_M, gripper_rad: OPEN_RAD, steps: 14 },
  { above: 'object', height_m: 0, gripper_rad: OPEN_RAD, steps: 8 },
  { above: 'object', height_m: 0, gripper_rad: CLOSED_RAD, steps: 4 },
  { above: 'object', height_m: HIGH_M, gripper_rad: CLOSED_RAD, steps: 7 },
  { above: 'place', height_m: HIGH_M, gripper_rad: CLOSED_RAD, steps: 14 },
  { above: 'place', height_m: 0.005, gripper_rad: CLOSED_RAD, steps: 8 },
  { above: 'place', height_m: 0.005, gripper_rad: OPEN_RAD, steps: 3 },
  { above: 'place', height_m: HIGH_M, gripper_rad: OPEN_RAD, steps: Number.POSITIVE_INFINITY },
];
/** A waypoint is reached when every joint is this close, rad. */
const REACHED_RAD = 0.05;
/** Share of the way to a waypoint that one step asks for. */
const GAIN = 0.6;

/**
 * A scripted demonstrator of task `pick`: goes over the object, grasps it, carries it to its place and
 * lets go. It sees what a policy sees, and adds noise to what it does, so that its demonstrations
 * cover more than one path.
 */
export class PickExpert {
  private readonly chain: Chain;
  private readonly gripper: number;
  private readonly object: number;
  private readonly place: number;
  private readonly targets_rad: Float64Array;
  private readonly pose_rad: Float64Array;
  private readonly seen_m = new Float64Array(3);
  private waypoint = 0;
  private stepsLeft = 0;

  /** @param noise deviation of what is added to an action of [−1, 1] */
  constructor(
    private readonly spec: RobotSpec,
    private readonly contract: ActionContract,
    private readonly noise: number,
  ) {
    const tool = spec.chains.find((c) => c.kind === 'tool')!;
    this.chain = new Chain({ ...tool, tip_m: [tool.tip_m[0], BESIDE_JAW_M, tool.tip_m[2]] }, spec);
    const inChain = new Set(this.chain.joints);
    this.gripper = spec.joints.findIndex((_, j) => !inChain.has(j));
    this.object = spec.objects.findIndex((o) => o.mass_kg !== undefined);
    this.place = spec.objects.findIndex((o) => o.mass_kg === undefined);
    this.targets_rad = new Float64Array(spec.joints.length);
    this.pose_rad = new Float64Array(spec.joints.length);
  }

  /** Starts an episode. */
  begin(): void {
    this.goTo(0);
  }

  /** The action for a moment, into `out`. */
  act({ state, executed_rad }: Moment, random: Random, out: Float32Array): void {
    const { targets_rad, pose_rad, gripper, contract } = this;
    const { above, height_m, gripper_rad } = WAYPOINTS[this.waypoint];
    // The place of an object that is held is where it was seen before the hand closed.
    if (this.waypoint < 2) this.seen_m.set(state.object_m.subarray(3 * this.object, 3 * this.object + 3));
    const at = above === 'object' ? this.seen_m : state.object_m.subarray(3 * this.place, 3 * this.place + 3);
    const standing =
      this.spec.objects[this.object].size_m.at(-1)! + this.spec.objects[this.place].size_m.at(-1)!;
    pose_rad.set(executed_rad);
    const z = at[2] + height_m + (above === 'place' ? standing : 0);
    armPose(this.spec, this.chain, [at[0], at[1], z], pose_rad);
    pose_rad[gripper] = gripper_rad;
    for (let j = 0; j < targets_rad.length; j++)
      targets_rad[j] = executed_rad[j] + (j === gripper ? 1 : GAIN) * (pose_rad[j] - executed_rad[j]);
    targetsToAction(contract, targets_rad, executed_rad, out);
    for (let j = 0; j < out.length; j++)
      out[j] = Math.min(1, Math.max(-1, out[j] + this.noise * random.normal()));
    // A gripper on an object never reaches what it is closed to.
    const reached = pose_rad.every(
      (q, j) => j === gripper || Math.abs(q - state.position_rad[j]) < REACHED_RAD,
    );
    const closes = this.waypoint > 0 && gripper_rad !== WAYPOINTS[this.waypoint - 1].gripper_rad;
    if (--this.stepsLeft <= 0 || (reached && !closes)) this.goTo(this.waypoint + 1);
  }

  private goTo(waypoint: number): void {
    this.waypoint = Math.min(waypoint, WAYPOINTS.length - 1);
    this.stepsLeft = WAYPOINTS[this.waypoint].steps;
  }
}
