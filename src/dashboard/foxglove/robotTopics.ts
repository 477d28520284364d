import { rotateInverse } from '../../robot/rotation.js';
import type { Scene } from '../../robot/scene.js';
import type { RobotSpec } from '../../robot/spec.js';
import { encode } from '../../ros/codec.js';
import { definitionText } from '../../ros/definitions.js';
import { BASE_FRAME, ODOM_FRAME } from '../../ros/links.js';
import { ImuStream, JointStateStream, TfStream } from '../../ros/robotStreams.js';
import { StampClock } from '../../ros/time.js';
import type { Time } from '../../ros/types.js';
import type { Frame } from '../frame.js';
import type { EventNote } from '../protocol.js';
import { ModelFrames, modelMarkers } from './modelTopics.js';
import type { Channel, FoxgloveServer } from './server.js';

/** Topics by the names that ROS 2 gives them. */
const Topic = {
  joints: '/joint_states',
  imu: '/imu/data',
  tf: '/tf',
  odometry: '/odom',
  log: '/rosout',
  model: '/robot_model',
} as const;

/** Levels of `rcl_interfaces/msg/Log`. */
const Level = { info: 20, error: 40 } as const;

/** What the robot measures, and what its safety kernel does, as ROS 2 messages on Foxglove's protocol. */
export class RobotTopics {
  private readonly joints: JointStateStream;
  private readonly imu = new ImuStream();
  private readonly tf: TfStream;
  private readonly clock: StampClock;
  private model: ModelFrames | undefined;
  private readonly stamp: Time = { sec: 0, nanosec: 0 };

  /** @param clockOffset_s ROS time less the robot's clock */
  constructor(
    private readonly spec: RobotSpec,
    private readonly server: FoxgloveServer,
    clockOffset_s: number,
  ) {
    this.joints = new JointStateStream(spec);
    this.tf = new TfStream(spec);
    this.clock = new StampClock(clockOffset_s);
  }

  static channels(spec: RobotSpec): Channel[] {
    const floating = spec.base === 'floating';
    return [
      channel(Topic.joints, 'sensor_msgs/msg/JointState'),
      channel(Topic.tf, 'tf2_msgs/msg/TFMessage'),
      channel(Topic.log, 'rcl_interfaces/msg/Log'),
      { ...channel(Topic.model, 'visualization_msgs/msg/MarkerArray'), latched: true },
      ...(spec.imu ? [channel(Topic.imu, 'sensor_msgs/msg/Imu')] : []),
      ...(floating ? [channel(Topic.odometry, 'nav_msgs/msg/Odometry')] : []),
    ];
  }

  /** From now on viewers see the robot's shapes. */
  showModel(scene: Scene): void {
    this.model = new ModelFrames(scene, this.spec.base === 'floating');
    this.server.publish(Topic.model, BigInt(Date.now()) * 1_000_000n, modelMarkers(scene));
  }

  show(frame: Frame): void {
    const { server, spec } = this;
    const { state } = frame;
    const stamp = this.clock.stamp(state.time_s, this.stamp);
    const time_ns = nanoseconds(stamp);
    const publish = (topic: string, write: () => Uint8Array) => {
      if (server.wants(topic)) server.publish(topic, time_ns, write());
    };
    publish(Topic.joints, () => this.joints.write(state, stamp));
    publish(Topic.tf, () => this.tf.write(state, frame.position_m, stamp));
    const { model } = this;
    if (model) publish(Topic.tf, () => model.write(state, stamp));
    if (spec.imu) publish(Topic.imu, () => this.imu.write(state, stamp));
    if (spec.base === 'floating') publish(Topic.odometry, () => odometry(frame, stamp));
  }

  note({ time_s, cause, joint, value, limit, stops }: EventNote): void {
    if (!this.server.wants(Topic.log)) return;
    const stamp = this.clock.stamp(time_s);
    const figures =
      value === null || limit === null ? '' : `: ${value.toFixed(3)}, limit ${limit.toFixed(3)}`;
    const log = {
      stamp,
      level: stops ? Level.error : Level.info,
      name: 'safety',
      msg: `${cause}${joint ? ` at ${joint}` : ''}${figures}`,
    };
    this.server.publish(Topic.log, nanoseconds(stamp), encode('rcl_interfaces/msg/Log', log));
  }
}

function channel(topic: string, type: string): Channel {
  return {
    topic,
    encoding: 'cdr',
    schemaName: type,
    schemaEncoding: 'ros2msg',
    schema: definitionText(type),
  };
}

const velocity = new Float64Array(3);

/** The pose in `odom`; the twist in the frame of the body, as nav_msgs has it. */
function odometry(frame: Frame, stamp: Time): Uint8Array {
  const { position_m: p } = frame;
  const { orientation: q, gyro_rad_s: w } = frame.state;
  rotateInverse(q, frame.velocity_m_s, velocity);
  const [x, y, z] = velocity;
  return encode('nav_msgs/msg/Odometry', {
    header: { stamp, frame_id: ODOM_FRAME },
    child_frame_id: BASE_FRAME,
    pose: {
      pose: {
        position: { x: p[0], y: p[1], z: p[2] },
        orientation: { x: q[1], y: q[2], z: q[3], w: q[0] },
      },
    },
    twist: { twist: { linear: { x, y, z }, angular: { x: w[0], y: w[1], z: w[2] } } },
  });
}

function nanoseconds({ sec, nanosec }: Time): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nanosec);
}
