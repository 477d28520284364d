import { RobotState } from '../robot/state.js';

export interface FrameSizes {
  readonly joints: number;
  readonly feet: number;
  readonly objects: number;
}

/** Of a robot that `Hello` names, or that its spec describes by the same names. */
export function frameSizes(robot: Readonly<Record<keyof FrameSizes, readonly unknown[]>>): FrameSizes {
  return { joints: robot.joints.length, feet: robot.feet.length, objects: robot.objects.length };
}

/**
 * What a page is sent sixty times a second: the robot at one moment, as float64 little-endian with
 * nothing around it, so that a phone copies it into its pictures without parsing. The layout follows
 * from the numbers of joints, feet and objects, which `Hello` names. Server and page share this file.
 */
export class Frame {
  readonly flat: Float64Array;
  /** The newest sample, without the camera's picture: a page does not show it. */
  readonly state: RobotState;
  /** Of the base, world frame. */
  readonly position_m: Float64Array;
  readonly velocity_m_s: Float64Array;
  /** What the safety kernel sends to the drives. */
  readonly target_rad: Float64Array;

  constructor({ joints, feet, objects }: FrameSizes) {
    const sample = RobotState.length(joints, feet, objects);
    this.flat = new Float64Array(sample + 3 + 3 + joints + 1);
    this.state = new RobotState(joints, feet, objects, 0, this.flat.subarray(0, sample));
    let at = sample;
    const take = (n: number) => {
      at += n;
      return this.flat.subarray(at - n, at);
    };
    this.position_m = take(3);
    this.velocity_m_s = take(3);
    this.target_rad = take(joints);
  }

  /** Whether the base's position is a simulator's truth, and not an estimate. */
  get isTruth(): boolean {
    return this.flat[this.flat.length - 1] !== 0;
  }
  set isTruth(known: boolean) {
    this.flat[this.flat.length - 1] = Number(known);
  }
}
