/** Messages that Reverie itself writes or reads, field for field as ROS 2 defines them. */

/** An array of numbers to write: plain or typed. Those that were read are typed. */
export type Numbers = number[] | Float64Array;

/** `builtin_interfaces/Time` and `/Duration`: nanosec counts forwards from sec, also before zero. */
export interface Time {
  sec: number;
  nanosec: number;
}

export interface Header {
  stamp: Time;
  frame_id: string;
}

export interface Vector3 {
  x: number;
  y: number;
  z: number;
}

export interface Quaternion {
  x: number;
  y: number;
  z: number;
  w: number;
}

/** Joint order is that of `name`; rad, rad/s, Nm. An array is empty where nothing is known of it. */
export interface JointState {
  header: Header;
  name: string[];
  position: Numbers;
  velocity: Numbers;
  effort: Numbers;
}

/** Orientation of the frame in the world, the rest in the frame; rad/s, m/s². Covariance zero: unknown. */
export interface Imu {
  header: Header;
  orientation: Quaternion;
  orientation_covariance: Numbers;
  angular_velocity: Vector3;
  angular_velocity_covariance: Numbers;
  linear_acceleration: Vector3;
  linear_acceleration_covariance: Numbers;
}

export interface TransformStamped {
  header: Header;
  child_frame_id: string;
  transform: { translation: Vector3; rotation: Quaternion };
}

export interface TFMessage {
  transforms: TransformStamped[];
}

/** V, °C, A, Ah, share; NaN where unknown. */
export interface BatteryState {
  header: Header;
  voltage: number;
  temperature: number;
  current: number;
  charge: number;
  capacity: number;
  design_capacity: number;
  percentage: number;
  power_supply_status: number;
  power_supply_health: number;
  power_supply_technology: number;
  present: boolean;
  cell_voltage: number[] | Float32Array;
  cell_temperature: number[] | Float32Array;
  location: string;
  serial_number: string;
}

export interface DiagnosticStatus {
  /** 0 OK, 1 warning, 2 error, 3 stale. */
  level: number;
  name: string;
  message: string;
  hardware_id: string;
  values: { key: string; value: string }[];
}

export interface DiagnosticArray {
  header: Header;
  status: DiagnosticStatus[];
}

/** m/s and rad/s in the frame of the one who is moved: x forwards, y left, z up. */
export interface Twist {
  linear: Vector3;
  angular: Vector3;
}

export interface Odometry {
  header: Header;
  child_frame_id: string;
  pose: { pose: { position: Vector3; orientation: Quaternion }; covariance: Numbers };
  twist: { twist: Twist; covariance: Numbers };
}

export interface JointTrajectoryPoint {
  positions: Numbers;
  velocities: Numbers;
  accelerations: Numbers;
  effort: Numbers;
  time_from_start: Time;
}

export interface JointTrajectory {
  header: Header;
  joint_names: string[];
  points: JointTrajectoryPoint[];
}

export interface PolicyStep {
  stamp: Time;
  episode: number;
  step: number;
  reward: number;
  flags: number;
  authority: string;
  policy: number;
  observation: Numbers | Float32Array;
  next_observation: Numbers | Float32Array;
  asked: Numbers | Float32Array;
  executed: Numbers | Float32Array;
}

export interface SafetyStatus {
  stamp: Time;
  mode: string;
  authority: string;
  latched: string;
  events: number;
  asks_person: string;
}

export interface PolicyState {
  policy: string;
  enabled: boolean;
}

export interface LearnerMetrics {
  names: string[];
  values: Numbers;
}

export interface RecorderState {
  path: string;
  paused: boolean;
  episode: number;
  messages: number;
  bytes: number;
  lost: number;
}

export interface EpisodeMark {
  stamp: Time;
  episode: number;
  kind: string;
  task: string;
  outcome: string;
  operator_name: string;
  notes: string;
  intervention_begin: Numbers;
  intervention_end: Numbers;
}

/** Row by row; `rgb8` has three bytes a pixel. */
export interface Image {
  header: Header;
  height: number;
  width: number;
  encoding: string;
  is_bigendian: number;
  step: number;
  data: Uint8Array;
}

/** A variant: `type` says which of the others counts. */
export interface ParameterValue {
  /** `rcl_interfaces/ParameterType` */
  type: number;
  bool_value: boolean;
  integer_value: bigint;
  double_value: number;
  string_value: string;
}
export interface ParameterMessage {
  name: string;
  value: ParameterValue;
}

export interface ParameterEvent {
  stamp: Time;
  /** In full. */
  node: string;
  new_parameters: ParameterMessage[];
  changed_parameters: ParameterMessage[];
  deleted_parameters: ParameterMessage[];
}

export interface MessageTypes {
  'reverie_msgs/msg/PolicyStep': PolicyStep;
  'reverie_msgs/msg/SafetyStatus': SafetyStatus;
  'reverie_msgs/msg/PolicyState': PolicyState;
  'reverie_msgs/msg/LearnerMetrics': LearnerMetrics;
  'reverie_msgs/msg/RecorderState': RecorderState;
  'reverie_msgs/msg/SafetyEvent': { stamp: Time; cause: string; joint: string; value: number; limit: number };
  'reverie_msgs/msg/EpisodeMark': EpisodeMark;
  'sensor_msgs/msg/Image': Image;
  'builtin_interfaces/msg/Time': Time;
  'diagnostic_msgs/msg/DiagnosticArray': DiagnosticArray;
  'geometry_msgs/msg/Twist': Twist;
  'geometry_msgs/msg/TwistStamped': { header: Header; twist: Twist };
  'nav_msgs/msg/Odometry': Odometry;
  'rcl_interfaces/msg/ParameterEvent': ParameterEvent;
  'rosgraph_msgs/msg/Clock': { clock: Time };
  'sensor_msgs/msg/BatteryState': BatteryState;
  'sensor_msgs/msg/Imu': Imu;
  'sensor_msgs/msg/JointState': JointState;
  'std_msgs/msg/Bool': { data: boolean };
  'std_msgs/msg/Float64MultiArray': {
    layout: { dim: { label: string; size: number; stride: number }[]; data_offset: number };
    data: Numbers;
  };
  'std_msgs/msg/String': { data: string };
  'std_srvs/srv/SetBool_Request': { data: boolean };
  'std_srvs/srv/SetBool_Response': { success: boolean; message: string };
  'std_srvs/srv/Trigger_Request': Record<string, never>;
  'std_srvs/srv/Trigger_Response': { success: boolean; message: string };
  'tf2_msgs/msg/TFMessage': TFMessage;
  'trajectory_msgs/msg/JointTrajectory': JointTrajectory;
}
export type TypeName = keyof MessageTypes;
/** Types of Reverie's own, which others know only where `ros/reverie_msgs` is built. */
export type OwnTypeName = Extract<TypeName, `reverie_msgs/${string}`>;
