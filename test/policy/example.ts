import { encodeModel } from '../../src/onnx/bytes.js';
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../../src/onnx/model.js';
import type { BundleContents } from '../../src/policy/bundle.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';

const quadruped = loadRobot('quadruped').spec;

/** A robot of two joints. */
export const robot: RobotSpec = {
  ...quadruped,
  name: 'pendulum',
  rates: { ...quadruped.rates, policy_hz: 50 },
  joints: ['shoulder', 'elbow'].map((name) => ({
    ...quadruped.joints[0],
    name,
    position_rad: [-1, 2],
    home_rad: 0.5,
    action_rad: 0.4,
  })),
};

export const contract = {
  observation: [
    { name: 'joint_position', size: 2, unit: 'rad' },
    { name: 'goal', size: 1, unit: 'm' },
  ],
  action: { kind: 'residual' as const, centre_rad: [0.5, 0.5], scale_rad: [0.4, 0.4] },
};

const float = (name: string, dims: number[], values: number[]): OnnxTensor => ({
  name,
  type: 'float32',
  dims,
  data: Float32Array.from(values),
});

export function node(opType: string, inputs: string[], outputs: string[], attributes = {}): OnnxNode {
  return { name: `${opType}:${outputs[0]}`, opType, domain: '', inputs, outputs, attributes };
}

export function model(graph: Partial<OnnxGraph>, opset = 18): Uint8Array {
  return encodeModel({
    irVersion: 8,
    producer: 'test',
    opsets: { '': opset },
    metadata: {},
    graph: { name: 'g', nodes: [], initializers: [], inputs: [], outputs: [], ...graph },
  });
}

/** action = tanh(x W + b) for a batch of any length, 3 → 2. */
export const onnx: Uint8Array = model({
  nodes: [node('Gemm', ['observation', 'w', 'b'], ['u']), node('Tanh', ['u'], ['action'])],
  initializers: [float('w', [3, 2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), float('b', [2], [0, 0.5])],
  inputs: [{ name: 'observation', type: 'float32', shape: ['batch', 3] }],
  outputs: [{ name: 'action', type: 'float32', shape: ['batch', 2] }],
});

/** A bundle for `robot` and `contract`. */
export const contents: BundleContents = {
  manifest: {
    name: 'pendulum-swing',
    robot: 'pendulum',
    task: 'swing',
    joints: ['shoulder', 'elbow'],
    policy_hz: 50,
    ...structuredClone(contract),
    network: { input: 'observation', outputs: { action: 'action' }, state: [] },
    training: {
      command: 'reverie train swing --robot pendulum --seed 3',
      seed: 3,
      env_steps: 10_000,
      robot_minutes: 3.3,
      wall_minutes: 1.2,
      version: '0.1.0',
    },
    evaluation: {
      episodes: 20,
      seconds_each: 5,
      falls: null,
      mean_speed_mps: null,
      success_rate: 0.95,
      mean_return: 41.5,
      mean_power_w: 3.25,
      foot_slip_mps: null,
      touchdowns_per_s: null,
    },
  },
  onnx,
  card: '# Pendulum\n',
};
