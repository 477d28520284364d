import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import { BASE_FRAME, linksOf, ODOM_FRAME } from './links.js';
import type {
  BatteryState,
  Imu,
  JointState,
  Quaternion,
  TFMessage,
  Time,
  TransformStamped,
  Vector3,
} from './types.js';

/**
 * What a robot senses as ROS 2 messages, by REP-103 (SI units, x forwards, z up), REP-105 (`odom`,
 * `base_link`) and REP-145 (IMU). `stamp` is when the sample was taken (`StampClock`). The messages
 * keep nothing of the state that they were made from. For streams: `robotStreams.ts`.
 */

/** Joints in `robot.yaml` order. */
export function jointStates(spec: RobotSpec, state: RobotState, stamp: Time): JointState {
  return {
    header: { stamp, frame_id: '' },
    name: spec.joints.map((joint) => joint.name),
    position: state.position_rad.slice(),
    velocity: state.velocity_rad_s.slice(),
    effort: state.torque_nm.slice(),
  };
}

/** Of the body: the IMU's frame is the base's. Covariances are zero: unknown. */
export function imu(state: RobotState, stamp: Time): Imu {
  return {
    header: { stamp, frame_id: BASE_FRAME },
    orientation: quaternion(state.orientation),
    orientation_covariance: new Float64Array(9),
    angular_velocity: vector(state.gyro_rad_s),
    angular_velocity_covariance: new Float64Array(9),
    linear_acceleration: vector(state.accel_m_s2),
    linear_acceleration_covariance: new Float64Array(9),
  };
}

/**
 * The base in `odom` where it floats, then the links of the chains.
 * @param base_m position of the base in `odom`: `Step.position_m`; not looked at where the base is fixed
 */
export function tf(spec: RobotSpec, state: RobotState, base_m: ArrayLike<number>, stamp: Time): TFMessage {
  const transforms: TransformStamped[] = linksOf(spec).map(({ frame, parent, joint, offset_m, axis }) => {
    const half = joint < 0 ? 0 : state.position_rad[joint] / 2;
    const s = Math.sin(half);
    return {
      header: { stamp, frame_id: parent },
      child_frame_id: frame,
      transform: {
        translation: vector(offset_m),
        rotation: { x: s * axis[0], y: s * axis[1], z: s * axis[2], w: Math.cos(half) },
      },
    };
  });
  if (spec.base === 'floating')
    transforms.unshift({
      header: { stamp, frame_id: ODOM_FRAME },
      child_frame_id: BASE_FRAME,
      transform: { translation: vector(base_m), rotation: quaternion(state.orientation) },
    });
  return { transforms };
}

/** Only the voltage is known; where the robot reports none, no battery is present. */
export function batteryState(state: RobotState, stamp: Time): BatteryState {
  const unknown = Number.NaN;
  const present = state.supply_v > 0;
  return {
    header: { stamp, frame_id: BASE_FRAME },
    voltage: present ? state.supply_v : unknown,
    temperature: unknown,
    current: unknown,
    charge: unknown,
    capacity: unknown,
    design_capacity: unknown,
    percentage: unknown,
    power_supply_status: 0,
    power_supply_health: 0,
    power_supply_technology: 0,
    present,
    cell_voltage: [],
    cell_temperature: [],
    location: '',
    serial_number: '',
  };
}

/** From (w, x, y, z). */
function quaternion(q: ArrayLike<number>): Quaternion {
  return { x: q[1], y: q[2], z: q[3], w: q[0] };
}

function vector(v: ArrayLike<number>): Vector3 {
  return { x: v[0], y: v[1], z: v[2] };
}
