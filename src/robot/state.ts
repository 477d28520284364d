import type { RobotSpec } from './spec.js';

/**
 * One sample of everything a robot senses, in one flat vector so that a sample is copied through
 * shared memory, replay or a recording with a single `set`. The named fields are views of it.
 */
export class RobotState {
  readonly flat: Float64Array;
  /** Joint positions, in `robot.yaml` order. */
  readonly position_rad: Float64Array;
  readonly velocity_rad_s: Float64Array;
  /** Torque that the drives report. */
  readonly torque_nm: Float64Array;
  readonly temperature_c: Float64Array;
  /** Body to world, (w, x, y, z). */
  readonly orientation: Float64Array;
  /** Body frame. */
  readonly gyro_rad_s: Float64Array;
  /** Specific force in the body frame: (0, 0, 9.81) at rest and level. */
  readonly accel_m_s2: Float64Array;
  /** Normal force at each foot, in the order of `feetOf(spec)`. */
  readonly footForce_n: Float64Array;
  /** Position of each of the spec's objects in the base's frame, as reported by what sees them; three numbers each. */
  readonly object_m: Float64Array;
  /** The camera's newest picture, rows from the top, each pixel from 0 to 1 (`CameraSpec`); empty without a camera. */
  readonly image: Float64Array;
  /** All but the picture: what is recorded and shown, at rates that pictures would be too much for. */
  readonly withoutImage: Float64Array;

  constructor(
    joints: number,
    feet: number,
    objects = 0,
    pixels = 0,
    flat: Float64Array = new Float64Array(RobotState.length(joints, feet, objects, pixels)),
  ) {
    this.flat = flat;
    let at = 2;
    const take = (n: number) => {
      at += n;
      return flat.subarray(at - n, at);
    };
    this.position_rad = take(joints);
    this.velocity_rad_s = take(joints);
    this.torque_nm = take(joints);
    this.temperature_c = take(joints);
    this.orientation = take(4);
    this.gyro_rad_s = take(3);
    this.accel_m_s2 = take(3);
    this.footForce_n = take(feet);
    this.object_m = take(3 * objects);
    this.withoutImage = flat.subarray(0, at);
    this.image = take(pixels);
    if (this.orientation.every((x) => x === 0)) this.orientation[0] = 1;
  }

  static length(joints: number, feet: number, objects = 0, pixels = 0): number {
    return 2 + 4 * joints + 4 + 3 + 3 + feet + 3 * objects + pixels;
  }

  static lengthFor(spec: RobotSpec): number {
    return RobotState.length(...sizesOf(spec));
  }

  static lengthWithoutImage(spec: RobotSpec): number {
    const [joints, feet, objects] = sizesOf(spec);
    return RobotState.length(joints, feet, objects);
  }

  static for(spec: RobotSpec): RobotState {
    return new RobotState(...sizesOf(spec));
  }

  /** When the sample was taken, on the robot's monotonic clock. */
  get time_s(): number {
    return this.flat[0];
  }
  set time_s(t: number) {
    this.flat[0] = t;
  }

  /** Battery or supply voltage; 0 where the robot does not report one. */
  get supply_v(): number {
    return this.flat[1];
  }
  set supply_v(v: number) {
    this.flat[1] = v;
  }
}

/** Joints, feet, objects and pixels. Counted here, since the dashboard's page has this file without the schema of robots. */
function sizesOf({ joints, chains, objects, camera }: RobotSpec) {
  const feet = chains.filter((chain) => chain.kind === 'foot').length;
  const pixels = camera ? camera.width * camera.height : 0;
  return [joints.length, feet, objects.length, pixels] as const;
}

/** What a drive is told to do. */
export const DriveMode = {
  /** No torque. */
  off: 0,
  /** Torque −kd · velocity: the joint moves only against a brake. */
  damp: 1,
  /** Torque kp (position − measured) + kd (velocity − measured) + torque. */
  track: 2,
} as const;
export type DriveMode = (typeof DriveMode)[keyof typeof DriveMode];

/** The five-number command that MIT-style, Unitree-style and simulated drives take, for all joints; flat like `RobotState`. */
export class JointCommand {
  readonly flat: Float64Array;
  readonly position_rad: Float64Array;
  readonly velocity_rad_s: Float64Array;
  readonly kp_nm_rad: Float64Array;
  readonly kd_nm_s_rad: Float64Array;
  readonly torque_nm: Float64Array;

  constructor(joints: number, flat: Float64Array = new Float64Array(JointCommand.length(joints))) {
    this.flat = flat;
    let at = 2;
    const take = () => {
      at += joints;
      return flat.subarray(at - joints, at);
    };
    this.position_rad = take();
    this.velocity_rad_s = take();
    this.kp_nm_rad = take();
    this.kd_nm_s_rad = take();
    this.torque_nm = take();
  }

  static length(joints: number): number {
    return 2 + 5 * joints;
  }

  /** When the kernel made it, on the robot's monotonic clock. */
  get time_s(): number {
    return this.flat[0];
  }
  set time_s(t: number) {
    this.flat[0] = t;
  }

  get mode(): DriveMode {
    return this.flat[1] as DriveMode;
  }
  set mode(m: DriveMode) {
    this.flat[1] = m;
  }
}

/**
 * How the base moves: an estimate on a robot (`src/control/estimator.ts`), the truth in a
 * simulator's reward. World frame: x is the heading at the last reset, z is up.
 */
export interface BodyMotion {
  /** Metres from where the body was at the last reset. */
  readonly position_m: Float64Array;
  /** World frame. */
  readonly velocity_m_s: Float64Array;
}
