import type { OnnxTensor } from '../onnx/model.js';
import { type Manifest, observationSizeOf } from './manifest.js';

/**
 * What a runtime that is not this one needs, beside the network, to move a robot with a policy:
 * names, order, units and rates, and how an action becomes joint targets. Plain data for a JSON file.
 */
export interface PolicyContract {
  readonly policy: string;
  readonly robot: string;
  readonly task: string;
  /** One inference every 1 / rate_hz seconds. */
  readonly rate_hz: number;
  readonly observation: {
    readonly input: string;
    readonly shape: readonly ['batch', number];
    readonly type: 'float32';
    /** Where each part lies in the vector: [from, to). */
    readonly parts: readonly {
      readonly name: string;
      readonly unit: string;
      readonly from: number;
      readonly to: number;
      /** Of a picture: rows from the top, channels last. */
      readonly image?: Manifest['observation'][number]['image'];
    }[];
  };
  /** Of a recurrent network: outputs of one step that are inputs of the next, 0 at the start of an episode. */
  readonly state: readonly {
    readonly input: string;
    readonly output: string;
    readonly shape: readonly [1, number];
  }[];
  /** Input for the action that was executed in the step before, 0 at the start of an episode. */
  readonly previous_action: string | null;
  /** Input that is 1 with a new observation and 0 to go on without one, and for how long that may be. */
  readonly imagination: { readonly input: string; readonly longest_s: number } | null;
  readonly action: {
    readonly output: string;
    readonly shape: readonly ['batch', number];
    readonly type: 'float32';
    readonly range: readonly [-1, 1];
    readonly meaning: string;
    readonly share?: number;
    readonly joints: readonly {
      readonly name: string;
      readonly centre_rad: number;
      readonly scale_rad: number;
    }[];
  };
}

const MEANING = {
  residual: 'target_rad = centre_rad + scale_rad * action',
  delta: 'target_rad = last executed target_rad + scale_rad * action; centre_rad is not used',
  approach:
    'target_rad = last executed target_rad + share * (centre_rad + scale_rad * action - last executed target_rad)',
} as const;

export function contractOf(manifest: Manifest): PolicyContract {
  const { action, network } = manifest;
  let at = 0;
  return {
    policy: manifest.name,
    robot: manifest.robot,
    task: manifest.task,
    rate_hz: manifest.policy_hz,
    observation: {
      input: network.input,
      shape: ['batch', observationSizeOf(manifest)],
      type: 'float32',
      parts: manifest.observation.map(({ name, unit, size, image }) => {
        at += size;
        return { name, unit, from: at - size, to: at, ...(image && { image }) };
      }),
    },
    state: network.state.map(({ input, output, size }) => ({ input, output, shape: [1, size] })),
    previous_action: network.previous_action ?? null,
    imagination: network.imagination ?? null,
    action: {
      output: network.outputs.action,
      shape: ['batch', manifest.joints.length],
      type: 'float32',
      range: [-1, 1],
      meaning: MEANING[action.kind],
      ...(action.share && { share: action.share }),
      joints: manifest.joints.map((name, j) => ({
        name,
        centre_rad: action.centre_rad[j],
        scale_rad: action.scale_rad[j],
      })),
    },
  };
}

/**
 * Replacer for `JSON.stringify` of an `OnnxModel`: constants become lists of numbers, row-major.
 * Single precision survives exactly, JSON writes enough digits; 64-bit integers are shapes and axes
 * in a network, and small.
 */
export function tensorsAsLists(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('data' in value)) return value;
  const { data } = value as OnnxTensor;
  return ArrayBuffer.isView(data)
    ? { ...value, data: Array.from(data as Iterable<number | bigint>, Number) }
    : value;
}
