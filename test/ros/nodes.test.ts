import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RobotProcess } from '../../src/control/robotProcess.js';
import { loadRobot } from '../../src/robot/load.js';
import { decode, encode } from '../../src/ros/codec.js';
import { HardwareNode } from '../../src/ros/nodes/hardware.js';
import { LearnerNode } from '../../src/ros/nodes/learner.js';
import { PolicyNode } from '../../src/ros/nodes/policy.js';
import { SafetyNode } from '../../src/ros/nodes/safety.js';
import { SimNode } from '../../src/ros/nodes/sim.js';
import { StampClock, secondsOf } from '../../src/ros/time.js';
import { openTransport } from '../../src/ros/transport/open.js';
import { qosProfiles } from '../../src/ros/transport/qos.js';
import type { Publisher, Transport, TransportNode } from '../../src/ros/transport/transport.js';
import type { JointState, MessageTypes, TypeName } from '../../src/ros/types.js';
import { driverModule } from '../control/support.js';
import { until } from '../until.js';
import { domain, transports } from './transports.js';

/** ROS 2 itself where it is sourced. */
const carrier = transports.some(({ name, absent }) => name === 'rclnodejs' && !absent)
  ? 'rclnodejs'
  : 'inproc';
const { spec: shipped } = loadRobot('arm');
/** Watchdogs so long that a busy machine does not set them off. */
const spec = {
  ...shipped,
  watchdog: { ...shipped.watchdog, sensor_age_s: 0.5, sensor_lost_s: 1, command_age_s: 1 },
  person: { ...shipped.person, deadman_s: 1 },
  stop: { ...shipped.stop, seconds: 0.5 },
};
const names = spec.joints.map((joint) => joint.name);

let robot: RobotProcess;
let transport: Transport;
let peer: TransportNode;
let hardware: HardwareNode;
const nodes: { close(): void }[] = [];
const notices: string[] = [];

beforeAll(async () => {
  robot = await RobotProcess.start({
    spec,
    driver: {
      module: driverModule('../../sim/realtimeDriver.js'),
      options: { robot: 'arm', seed: 1, randomisation: 'none' },
    },
    task: 'reach',
    explore: 0,
    seed: 1,
    fifo: false,
  });
  const onNotice = (line: string) => notices.push(line);
  transport = await openTransport(carrier, { onNotice, domain });
  const common = { transport, namespace: '/robot_1', remap: { cmd_vel: 'twist' }, onNotice, robot };
  const clock = new StampClock();
  hardware = new HardwareNode({ ...common, clock, rate_hz: 200 });
  const select = async (name: string) => ({ admitted: false as const, reasons: [`no policy "${name}"`] });
  nodes.push(
    hardware,
    new PolicyNode({ ...common, select }),
    new SafetyNode({ ...common, clock }),
    new SimNode({ ...common, clock }),
  );
  peer = transport.node('peer', '/');
});

afterAll(async () => {
  for (const node of nodes) node.close();
  await robot.close();
  await transport.close();
});

const newest = <T extends TypeName>(topic: string, type: T, qos = qosProfiles.sensorData as never) => {
  const got: MessageTypes[T][] = [];
  peer.subscribe(topic, type, qos, (bytes) => got.push(decode(type, bytes)));
  return got;
};

async function call<Response>(service: string, type: string, request: object = {}): Promise<Response> {
  const client = peer.client(`/robot_1/${service}`, type);
  const response = await client.call(encode(`${type}_Request`, request), 20);
  client.close();
  return decode(`${type}_Response`, response) as Response;
}

const trajectory = (publisher: Publisher, joint_names: string[], positions: number[], sec = 1) =>
  publisher.publish(
    encode('trajectory_msgs/msg/JointTrajectory', {
      header: { stamp: { sec: 0, nanosec: 0 }, frame_id: '' },
      joint_names,
      points: [
        { positions, velocities: [], accelerations: [], effort: [], time_from_start: { sec, nanosec: 0 } },
      ],
    }),
  );

describe('the nodes of a robot', () => {
  it('say nothing before they are active, and everything after', async () => {
    const joints = newest('/robot_1/joint_states', 'sensor_msgs/msg/JointState');
    const frames = newest('/tf', 'tf2_msgs/msg/TFMessage');
    const battery = newest('/robot_1/battery_state', 'sensor_msgs/msg/BatteryState');
    const health = newest('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
    const clock = newest('/clock', 'rosgraph_msgs/msg/Clock');
    const description = newest(
      '/robot_1/robot_description',
      'std_msgs/msg/String',
      qosProfiles.latched as never,
    );
    await until(() => description.length === 1 && clock.length > 2);
    expect(description[0].data).toContain('<joint name="elbow_flex" type="revolute">');
    expect(joints).toEqual([]);

    expect(await hardware.lifecycle.to('activate')).toBe(false);
    const change = (id: number) =>
      call<{ success: boolean }>('hardware/change_state', 'lifecycle_msgs/srv/ChangeState', {
        transition: { id, label: '' },
      });
    expect(await change(1)).toEqual({ success: true });
    expect(await change(3)).toEqual({ success: true });
    expect(
      await call<{ current_state: object }>('hardware/get_state', 'lifecycle_msgs/srv/GetState'),
    ).toEqual({ current_state: { id: 3, label: 'active' } });
    await until(() => joints.length > 10 && frames.length > 10 && battery.length > 0 && health.length > 0);
    expect(joints[0].name).toEqual(names);
    const age_s = Date.now() / 1e3 - joints.at(-1)!.header.stamp.sec;
    expect(Math.abs(age_s)).toBeLessThan(60);
    expect(frames[0].transforms.map((t) => t.child_frame_id)).toContain('tool');
    expect(health.flatMap((d) => d.status.map((s) => s.name))).toContain('safety: kernel');
  });

  it('describe their parameters, refuse what is out of range, and tell everybody of every change', async () => {
    const told = newest(
      '/parameter_events',
      'rcl_interfaces/msg/ParameterEvent',
      qosProfiles.parameterEvents as never,
    );
    const { descriptors } = await call<{ descriptors: { name: string; floating_point_range: object[] }[] }>(
      'hardware/describe_parameters',
      'rcl_interfaces/srv/DescribeParameters',
      { names: ['rate_hz'] },
    );
    expect(descriptors[0]).toMatchObject({
      name: 'rate_hz',
      floating_point_range: [{ from_value: 1, to_value: 1000 }],
    });
    const set = (name: string, value: object) =>
      call<{ results: { successful: boolean; reason: string }[] }>(
        'hardware/set_parameters',
        'rcl_interfaces/srv/SetParameters',
        { parameters: [{ name, value }] },
      );
    expect((await set('rate_hz', { type: 3, double_value: 1e6 })).results[0].reason).toBe(
      'rate_hz: 1000000 is not within 1 and 1000',
    );
    expect((await set('rate_hz', { type: 2, integer_value: 50n })).results[0].reason).toContain(
      'expected a double',
    );
    expect((await set('use_sim_time', { type: 1, bool_value: true })).results[0].successful).toBe(false);
    expect((await set('rate_hz', { type: 3, double_value: 100 })).results[0].successful).toBe(true);
    await until(() => told.length > 0);
    expect(told).toMatchObject([
      {
        node: '/robot_1/hardware',
        new_parameters: [],
        changed_parameters: [{ name: 'rate_hz', value: { type: 3, double_value: 100 } }],
        deleted_parameters: [],
      },
    ]);
    const late = new LearnerNode({
      transport,
      namespace: '/late',
      remap: {},
      save: async () => '',
      onNotice: () => {},
    });
    await until(() => told.length > 1);
    expect(told[1]).toMatchObject({ node: '/late/learner', new_parameters: [{ name: 'use_sim_time' }] });
    late.close();
    const policy = await call<{ results: { reason: string }[] }>(
      'policy/set_parameters',
      'rcl_interfaces/srv/SetParameters',
      { parameters: [{ name: 'policy', value: { type: 4, string_value: 'walker' } }] },
    );
    expect(policy.results[0].reason).toBe('no policy "walker"');
  });

  it('refuse trajectories that are not for this robot, with names, once each', async () => {
    const publisher = peer.advertise(
      '/robot_1/joint_trajectory',
      'trajectory_msgs/msg/JointTrajectory',
      qosProfiles.command,
    );
    const home = spec.joints.map((joint) => joint.home_rad);
    const refused = async (text: string, joints: string[], positions: number[]) => {
      trajectory(publisher, joints, positions);
      await until(() => notices.some((line) => line.includes(text)));
      trajectory(publisher, joints, positions);
    };
    await refused('no joint knee; joints are shoulder_pan', ['knee'], [0]);
    await refused('2 joints where there are 6', names.slice(0, 2), [0, 0]);
    await refused('joints in the order gripper', names.toReversed(), home);
    await refused('the position of elbow_flex is no number', names, home.with(2, Number.NaN));
    expect(new Set(notices).size).toBe(notices.length);
    expect(robot.status().authority).toBe('policy');
    publisher.close();
  });

  it('move the robot along a trajectory, by way of the safety kernel', async () => {
    const joints = newest('/robot_1/joint_states', 'sensor_msgs/msg/JointState');
    const publisher = peer.advertise(
      '/robot_1/joint_trajectory',
      'trajectory_msgs/msg/JointTrajectory',
      qosProfiles.command,
    );
    const goal = spec.joints.map((joint) => joint.home_rad).with(0, 0.4);
    // It is still rising at first, which a person may interrupt.
    trajectory(publisher, names, goal);
    const pan = (message: JointState | undefined) => message?.position[0] ?? 0;
    await until(() => Math.abs(pan(joints.at(-1)) - 0.4) < 0.05);
    expect(robot.status().authority).toBe('person');
    // A second one who asks: nobody is followed.
    const second = peer.advertise(
      '/robot_1/joint_trajectory',
      'trajectory_msgs/msg/JointTrajectory',
      qosProfiles.command,
    );
    trajectory(second, names, goal.with(0, -0.4));
    await until(() => notices.some((line) => line.includes('has 2 publishers')));
    second.close();
    publisher.close();
  });

  it('lead the tool by velocities, under the name that they are remapped to, through a flood with no numbers in it', async () => {
    const frames = newest('/robot_1/joint_states', 'sensor_msgs/msg/JointState');
    await until(() => frames.length > 0);
    const publisher = peer.advertise('/robot_1/twist', 'geometry_msgs/msg/Twist', qosProfiles.command);
    const twist = (z: number) =>
      encode('geometry_msgs/msg/Twist', {
        linear: { x: 0, y: 0, z },
        angular: { x: 0, y: 0, z: 0 },
      });
    const before = Float64Array.from(frames.at(-1)!.position);
    for (let i = 0; i < 2000; i++) publisher.publish(twist(Number.NaN));
    await until(() => notices.some((line) => line.includes('twist is refused: not all of it are numbers')));
    const moved = () => Math.max(...before.map((q, j) => Math.abs(frames.at(-1)!.position[j] - q)));
    await until(() => {
      for (let i = 0; i < 100; i++) publisher.publish(twist(0.1));
      return moved() > 0.1;
    });
    publisher.close();
    expect(await call<{ success: boolean }>('hardware/release', 'std_srvs/srv/Trigger')).toMatchObject({
      success: true,
    });
  });

  it('stop in an emergency, stay stopped, and rise when they are told to', async () => {
    const state = newest('/robot_1/safety/state', 'std_msgs/msg/String', qosProfiles.latched as never);
    const stop = peer.advertise('/robot_1/emergency_stop', 'std_msgs/msg/Bool', qosProfiles.default);
    stop.publish(encode('std_msgs/msg/Bool', { data: false }));
    stop.publish(encode('std_msgs/msg/Bool', { data: true }));
    await until(() => state.some(({ data }) => data.includes('"latched":"emergency_stop"')));
    stop.publish(encode('std_msgs/msg/Bool', { data: false }));
    expect(await hardware.lifecycle.to('deactivate')).toBe(true);
    expect(await hardware.lifecycle.to('activate')).toBe(false);
    expect(notices.at(-1)).toContain('emergency_stop is latched: reset it first');
    expect(await call<{ success: boolean }>('safety/reset', 'std_srvs/srv/Trigger')).toMatchObject({
      success: true,
    });
    expect(robot.status().mode).toBe('idle');
    expect(await hardware.lifecycle.to('activate')).toBe(true);
    expect(['hold', 'run']).toContain(robot.status().mode);
    // A reset with nothing to reset takes no torque.
    expect(await call('safety/reset', 'std_srvs/srv/Trigger')).toMatchObject({
      message: expect.stringContaining('the robot goes on'),
    });
    expect(['hold', 'run']).toContain(robot.status().mode);
  });
});

describe('the sim node', () => {
  const pause = (data: boolean) =>
    call<{ success: boolean; message: string }>('sim/pause', 'std_srvs/srv/SetBool', { data });
  const step = () => call<{ success: boolean; message: string }>('sim/step', 'std_srvs/srv/Trigger');

  it('holds time and lets it go on by steps, on /clock as on the stamps', async () => {
    const clock = newest('/clock', 'rosgraph_msgs/msg/Clock');
    const joints = newest('/robot_1/joint_states', 'sensor_msgs/msg/JointState');
    const time_s = () => secondsOf(clock.at(-1)!.clock);
    await until(() => clock.length > 0);
    // Of an attempt before this one.
    await pause(false);
    expect(await step()).toEqual({ success: false, message: 'not paused: there is nothing to step' });
    expect(await pause(true)).toEqual({ success: true, message: 'time stands still' });
    const told = clock.length;
    const held_s = robot.time.now_s();
    await until(() => clock.length > told + 20);
    expect(new Set(clock.slice(told).map(({ clock }) => secondsOf(clock))).size).toBe(1);
    const from_s = time_s();
    const set = { name: 'step_ticks', value: { type: 2, integer_value: 100n } };
    await call('sim/set_parameters', 'rcl_interfaces/srv/SetParameters', { parameters: [set] });
    expect(await step()).toEqual({ success: true, message: '100 ticks' });
    await until(() => time_s() > from_s);
    const passed_s = robot.time.now_s() - held_s;
    // Time was held at some moment between two ticks: the first comes less than a period later.
    expect(passed_s).toBeGreaterThan(98.9 / spec.rates.control_hz);
    expect(time_s() - from_s).toBeCloseTo(passed_s, 6);
    expect(await pause(false)).toEqual({ success: true, message: 'time goes on' });
    const { length } = joints;
    await until(() => joints.length > length + 5);
    // Stamps are those of the same clock: no jump by what the pause took.
    expect(Math.abs(secondsOf(joints.at(-1)!.header.stamp) - time_s())).toBeLessThan(1);
    expect(clock.every(({ clock: c }, i) => i === 0 || secondsOf(c) >= secondsOf(clock[i - 1].clock))).toBe(
      true,
    );
  });
});

describe('the learner node', () => {
  let saves = 0;
  const open = (namespace: string, ownTypes: boolean) =>
    new LearnerNode({
      transport,
      namespace,
      remap: {},
      ownTypes,
      onNotice: () => {},
      save: async () => {
        if (++saves > 1) throw new Error('no learner has saved within 20 s');
        return 'f00d';
      },
    });

  it('has the learner save, and passes on why it did not', async () => {
    const node = open('/robot_1', false);
    const save = () => call('learner/save', 'std_srvs/srv/Trigger');
    expect(await save()).toEqual({ success: true, message: 'learner f00d has written its checkpoint' });
    expect(await save()).toEqual({ success: false, message: 'no learner has saved within 20 s' });
    node.close();
  });

  it('gives figures in a type of its own where others know that, else as JSON', async () => {
    const typed = open('/typed', true);
    const plain = open('/plain', false);
    const figures = newest('/typed/learner/metrics', 'reverie_msgs/msg/LearnerMetrics');
    const text = newest('/plain/learner/metrics', 'std_msgs/msg/String');
    for (const node of [typed, plain]) node.show({ updates: 3, loss: 0.5 });
    await until(() => figures.length === 1 && text.length === 1);
    expect(figures[0]).toEqual({ names: ['updates', 'loss'], values: new Float64Array([3, 0.5]) });
    expect(JSON.parse(text[0].data)).toEqual({ names: ['updates', 'loss'], values: [3, 0.5] });
    typed.close();
    plain.close();
  });
});
