import type { Observer } from '../../control/observer.js';
import type { RobotProcess } from '../../control/robotProcess.js';
import { diagnostics } from '../diagnostics.js';
import { Lifecycle } from '../lifecycle.js';
import { type NodeOptions, RosNode } from '../node.js';
import { batteryState } from '../robotMessages.js';
import { ImuStream, JointStateStream, TfStream } from '../robotStreams.js';
import type { StampClock } from '../time.js';
import { qosProfiles } from '../transport/qos.js';
import type { Publisher } from '../transport/transport.js';
import type { BatteryState, DiagnosticArray, Time } from '../types.js';
import { urdfOf } from '../urdf.js';
import { CommandTopics } from './commands.js';

const SLOW_MS = 1000;
const MAX_RATE_HZ = 1000;

export interface HardwareOptions extends NodeOptions {
  readonly robot: RobotProcess;
  readonly clock: StampClock;
  /** Of joint states, IMU and frames, at most: a sample goes out once. */
  readonly rate_hz: number;
}

/**
 * The robot's senses and joints as a managed node. Active: publishes, and takes trajectories and
 * velocities. Deactivated, the robot goes to its stop pose; activated again, it rises.
 */
export class HardwareNode {
  readonly lifecycle: Lifecycle;
  private readonly node: RosNode;
  private readonly robot: RobotProcess;
  private readonly observer: Observer;
  private readonly commands: CommandTopics;
  private readonly joints: JointStateStream;
  private readonly imu = new ImuStream();
  private readonly frames: TfStream;
  private readonly out: Readonly<Record<'joints' | 'imu' | 'tf', Publisher>>;
  private readonly battery: (message: BatteryState) => void;
  private readonly diagnostics: (message: DiagnosticArray) => void;
  private readonly stamp: Time = { sec: 0, nanosec: 0 };
  private fast: NodeJS.Timeout | undefined;
  private slow: NodeJS.Timeout | undefined;

  constructor(private readonly options: HardwareOptions) {
    const { robot } = options;
    const { spec } = robot.options;
    this.robot = robot;
    this.node = new RosNode('hardware', options, {
      rate_hz: {
        description: 'of joint states, IMU and frames; not above that of the robot itself',
        type: 'double',
        value: options.rate_hz,
        range: [1, MAX_RATE_HZ],
        onSet: (rate) => {
          if (this.lifecycle.active) this.beginStreams(rate as number);
        },
      },
    });
    const { node } = this;
    this.observer = robot.observe();
    this.joints = new JointStateStream(spec);
    this.frames = new TfStream(spec);
    this.out = {
      joints: node.advertise('joint_states', 'sensor_msgs/msg/JointState', qosProfiles.default),
      imu: node.advertise('imu/data', 'sensor_msgs/msg/Imu', qosProfiles.sensorData),
      tf: node.advertise('/tf', 'tf2_msgs/msg/TFMessage', qosProfiles.tf),
    };
    this.battery = node.publisher('battery_state', 'sensor_msgs/msg/BatteryState', qosProfiles.default);
    this.diagnostics = node.publisher(
      '/diagnostics',
      'diagnostic_msgs/msg/DiagnosticArray',
      qosProfiles.default,
    );
    node.publisher('robot_description', 'std_msgs/msg/String', qosProfiles.latched)({ data: urdfOf(spec) });
    this.lifecycle = new Lifecycle(node, {
      activate: () => this.activate(),
      deactivate: () => this.deactivate(),
      shutdown: () => this.deactivate(),
    });
    this.commands = new CommandTopics(node, robot, () => this.lifecycle.active);
  }

  /** Sends what is newest, if it is newer than the last time. */
  publish(): void {
    if (!this.observer.update()) return;
    const { state, estimate } = this.observer;
    const stamp = this.options.clock.stamp(state.time_s, this.stamp);
    this.out.joints.publish(this.joints.write(state, stamp));
    if (this.robot.options.spec.imu) this.out.imu.publish(this.imu.write(state, stamp));
    this.out.tf.publish(this.frames.write(state, estimate.position_m, stamp));
  }

  close(): void {
    this.endStreams();
    this.commands.close();
    this.node.close();
  }

  private async activate(): Promise<void> {
    await rise(this.robot);
    this.beginStreams(this.node.parameters.get('rate_hz') as number);
    this.slow = setInterval(() => this.publishSlow(), SLOW_MS);
  }

  private async deactivate(): Promise<void> {
    this.endStreams();
    await this.commands.release();
    await this.robot.requestStop();
  }

  private publishSlow(): void {
    const { state } = this.observer;
    const stamp = this.options.clock.stamp(state.time_s);
    this.battery(batteryState(state, stamp));
    this.diagnostics(diagnostics(this.robot.options.spec, this.robot.status(), state, stamp));
  }

  private beginStreams(rate_hz: number): void {
    clearInterval(this.fast);
    this.fast = setInterval(() => this.publish(), 1e3 / rate_hz);
  }

  private endStreams(): void {
    clearInterval(this.fast);
    clearInterval(this.slow);
  }
}

/** Lets a robot that is stopped rise; one that stands is left as it is. @throws Error where a stop is latched */
async function rise(robot: RobotProcess): Promise<void> {
  const { mode, latched } = robot.status();
  if (latched) throw new Error(`${latched} is latched: reset it first`);
  if (mode === 'run' || mode === 'hold') return;
  if (mode !== 'idle') await robot.reset();
  if (!(await robot.arm())) throw new Error('the robot does not arm');
}
