import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Chain } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import { rotate } from '../../src/robot/rotation.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { RobotState } from '../../src/robot/state.js';
import { decode, encode } from '../../src/ros/codec.js';
import { FixedMessage } from '../../src/ros/fixedMessage.js';
import { batteryState, imu, jointStates, tf } from '../../src/ros/robotMessages.js';
import { ImuStream, JointStateStream, TfStream } from '../../src/ros/robotStreams.js';
import { StampClock, secondsOf, timeOf } from '../../src/ros/time.js';
import { golden, goldenOf } from './golden.js';

const stamp = { sec: 1763640000, nanosec: 250000001 };

function randomState(spec: RobotSpec, seed: number): RobotState {
  const random = Random.stream(seed, 'state');
  const state = RobotState.for(spec);
  for (let i = 0; i < state.flat.length; i++) state.flat[i] = random.normal();
  const norm = Math.hypot(...state.orientation);
  for (let k = 0; k < 4; k++) state.orientation[k] /= norm;
  return state;
}

describe.each(['quadruped', 'arm'])('the streams of the %s', (name) => {
  const { spec } = loadRobot(name);
  const joints = new JointStateStream(spec);
  const body = new ImuStream();
  const frames = new TfStream(spec);

  it('write the bytes of the general codec, again and again', () => {
    for (let seed = 0; seed < 20; seed++) {
      const state = randomState(spec, seed);
      const base_m = state.accel_m_s2;
      const time = { sec: stamp.sec + seed, nanosec: seed * 49_999_999 };
      const same = (type: string, bytes: Uint8Array, message: object) =>
        expect(Buffer.from(bytes).equals(Buffer.from(encode(type, message))), type).toBe(true);
      same('sensor_msgs/msg/JointState', joints.write(state, time), jointStates(spec, state, time));
      same('sensor_msgs/msg/Imu', body.write(state, time), imu(state, time));
      same('tf2_msgs/msg/TFMessage', frames.write(state, base_m, time), tf(spec, state, base_m, time));
    }
  });

  it('write into the same memory', () => {
    const state = randomState(spec, 1);
    expect(joints.write(state, stamp)).toBe(joints.write(state, stamp));
    expect(frames.write(state, [0, 0, 0], stamp)).toBe(frames.write(state, [0, 0, 0], stamp));
  });

  it('put the end of each chain where the kinematics have it', () => {
    const state = randomState(spec, 3);
    const { transforms } = tf(spec, state, [0, 0, 0], stamp);
    const byFrame = new Map(transforms.map((t) => [t.child_frame_id, t]));
    for (const chain of spec.chains) {
      const point = Float64Array.of(0, 0, 0);
      for (let frame: string = chain.name; frame !== 'base_link'; ) {
        const { header, transform } = byFrame.get(frame)!;
        const { x, y, z, w } = transform.rotation;
        rotate([w, x, y, z], point, point);
        point[0] += transform.translation.x;
        point[1] += transform.translation.y;
        point[2] += transform.translation.z;
        frame = header.frame_id;
      }
      const kinematics = new Chain(chain, spec);
      kinematics.update(state.position_rad);
      for (let k = 0; k < 3; k++) expect(point[k]).toBeCloseTo(kinematics.tip_m[k], 9);
    }
  });
});

describe('a message of fixed shape', () => {
  it('is the golden message, byte for byte, when its own numbers are written into it', () => {
    for (const { type, message, cdr } of golden)
      expect(Buffer.from(new FixedMessage(type, message).bytes).equals(cdr), type).toBe(true);
    const { type, message, cdr } = goldenOf('sensor_msgs/msg/JointState');
    const full = message as { position: number[]; header: object };
    const zeroed = new FixedMessage(type, { ...full, position: full.position.map(() => 0) });
    expect(Buffer.from(zeroed.bytes).equals(cdr)).toBe(false);
    zeroed.float64('position').set(full.position);
    expect(Buffer.from(zeroed.bytes).equals(cdr)).toBe(true);
  });

  it('finds every field of a message with strings and arrays in between', () => {
    const { type, message } = goldenOf('diagnostic_msgs/msg/DiagnosticArray');
    const fixed = new FixedMessage(type, message);
    fixed.time('header.stamp')({ sec: 5, nanosec: 6 });
    expect(decode('diagnostic_msgs/msg/DiagnosticArray', fixed.bytes).header.stamp).toEqual({
      sec: 5,
      nanosec: 6,
    });
  });

  it('says what it has not', () => {
    const { type, message } = goldenOf('sensor_msgs/msg/JointState');
    const fixed = new FixedMessage(type, message);
    expect(() => fixed.float64('torque')).toThrow('has no float64 "torque"');
    expect(() => fixed.float64('header')).toThrow('header.stamp is time');
    expect(() => fixed.float32('position')).toThrow('has no float32 "position"');
  });
});

describe('battery', () => {
  it('is present when the robot reports a voltage', () => {
    const state = new RobotState(0, 0);
    expect(batteryState(state, stamp).present).toBe(false);
    state.supply_v = 24.5;
    expect(batteryState(state, stamp)).toMatchObject({
      present: true,
      voltage: 24.5,
      percentage: Number.NaN,
    });
  });
});

describe('stamps', () => {
  it('carry seconds to the nanosecond, also across a whole second and before zero', () => {
    expect(timeOf(12.345678901)).toEqual({ sec: 12, nanosec: 345678901 });
    expect(timeOf(0.9999999999)).toEqual({ sec: 1, nanosec: 0 });
    expect(timeOf(-0.25)).toEqual({ sec: -1, nanosec: 750000000 });
    expect(secondsOf({ sec: -1, nanosec: 750000000 })).toBe(-0.25);
  });

  it('keep differences of a nanosecond on a clock that counts from 1970', () => {
    const clock = new StampClock(1763640000.25);
    const a = clock.stamp(1000.5);
    const b = clock.stamp(1000.500000001);
    expect(a).toEqual({ sec: 1763641000, nanosec: 750000000 });
    expect(b).toEqual({ sec: 1763641000, nanosec: 750000001 });
    expect(clock.robotTime_s(b)).toBeCloseTo(1000.500000001, 9);
  });
});
