import type { RobotSpec } from '../robot/spec.js';
import { RobotState } from '../robot/state.js';
import { FixedMessage } from './fixedMessage.js';
import { linksOf } from './links.js';
import { imu, jointStates, tf } from './robotMessages.js';
import type { Time } from './types.js';

/**
 * The messages of `robotMessages.ts` that go out at a high rate, each written into bytes of its own
 * without allocating. What a call returns is valid until the next.
 */

const START: Time = { sec: 0, nanosec: 0 };

export class JointStateStream {
  private readonly message: FixedMessage;
  private readonly stamp: (time: Time) => void;
  private readonly position: Float64Array;
  private readonly velocity: Float64Array;
  private readonly effort: Float64Array;

  constructor(spec: RobotSpec) {
    this.message = new FixedMessage(
      'sensor_msgs/msg/JointState',
      jointStates(spec, RobotState.for(spec), START),
    );
    this.stamp = this.message.time('header.stamp');
    this.position = this.message.float64('position');
    this.velocity = this.message.float64('velocity');
    this.effort = this.message.float64('effort');
  }

  write(state: RobotState, stamp: Time): Uint8Array {
    this.stamp(stamp);
    this.position.set(state.position_rad);
    this.velocity.set(state.velocity_rad_s);
    this.effort.set(state.torque_nm);
    return this.message.bytes;
  }
}

export class ImuStream {
  private readonly message: FixedMessage;
  private readonly stamp: (time: Time) => void;
  private readonly orientation: Float64Array;
  private readonly gyro: Float64Array;
  private readonly accel: Float64Array;

  constructor() {
    this.message = new FixedMessage('sensor_msgs/msg/Imu', imu(new RobotState(0, 0), START));
    this.stamp = this.message.time('header.stamp');
    this.orientation = this.message.float64('orientation');
    this.gyro = this.message.float64('angular_velocity');
    this.accel = this.message.float64('linear_acceleration');
  }

  write(state: RobotState, stamp: Time): Uint8Array {
    this.stamp(stamp);
    writeQuaternion(this.orientation, 0, state.orientation);
    this.gyro.set(state.gyro_rad_s);
    this.accel.set(state.accel_m_s2);
    return this.message.bytes;
  }
}

/** Where x, y, z, w of the rotation lie behind the translation. */
const ROTATION = 3;

export class TfStream {
  private readonly message: FixedMessage;
  private readonly stamps: ((time: Time) => void)[];
  /** Of `odom` to the base, where that floats. */
  private readonly base: Float64Array | undefined;
  private readonly links: { transform: Float64Array; joint: number; axis: readonly number[] }[];

  constructor(spec: RobotSpec) {
    const example = tf(spec, RobotState.for(spec), [0, 0, 0], START);
    const message = new FixedMessage('tf2_msgs/msg/TFMessage', example);
    this.message = message;
    this.stamps = example.transforms.map((_, i) => message.time(`transforms.${i}.header.stamp`));
    const transforms = example.transforms.map((_, i) => message.float64(`transforms.${i}.transform`));
    this.base = spec.base === 'floating' ? transforms.shift() : undefined;
    this.links = linksOf(spec).map(({ joint, axis }, i) => ({ transform: transforms[i], joint, axis }));
  }

  /** @param base_m position of the base in `odom`; not looked at where the base is fixed */
  write(state: RobotState, base_m: ArrayLike<number>, stamp: Time): Uint8Array {
    for (const set of this.stamps) set(stamp);
    if (this.base) {
      this.base.set(base_m);
      writeQuaternion(this.base, ROTATION, state.orientation);
    }
    for (const { transform, joint, axis } of this.links) {
      if (joint < 0) continue;
      const half = state.position_rad[joint] / 2;
      const s = Math.sin(half);
      for (let k = 0; k < 3; k++) transform[ROTATION + k] = s * axis[k];
      transform[ROTATION + 3] = Math.cos(half);
    }
    return this.message.bytes;
  }
}

/** From (w, x, y, z) to the order of ROS. */
function writeQuaternion(into: Float64Array, at: number, q: ArrayLike<number>): void {
  for (let k = 0; k < 3; k++) into[at + k] = q[k + 1];
  into[at + 3] = q[0];
}
