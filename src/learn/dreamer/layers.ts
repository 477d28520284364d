import type { Random } from '../../base/random.js';
import {
  add,
  matmul,
  mean,
  mul,
  type ParameterSpec,
  type Parameters,
  reciprocal,
  reshape,
  silu,
  sqrt,
  square,
  type Tensor,
  transpose,
} from '../../tensor/index.js';

/** A part of a network: its parameters, and what it does to the last axis of [.., features]. */
export interface Layer {
  readonly parameters: readonly ParameterSpec[];
  apply(parameters: Parameters, x: Tensor): Tensor;
}

const RMS_EPSILON = 1e-4;

/** Deviation of a standard normal that is cut at ±2. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

/** Normal with variance 1 / inputs, cut at two deviations; `scale` 0 starts a head at nothing. */
const truncatedNormal = (inputs: number, scale: number) => (values: Float32Array, random: Random) => {
  const deviation = scale / Math.sqrt(inputs) / TRUNCATED_DEVIATION;
  for (let i = 0; i < values.length; i++) {
    let z = random.normal();
    while (Math.abs(z) > 2) z = random.normal();
    values[i] = z * deviation;
  }
};

const fill = (value: number) => (values: Float32Array) => {
  values.fill(value);
};

/** y = x W + b over the last axis. */
export function dense(name: string, inputs: number, outputs: number, scale = 1): Layer {
  return {
    parameters: [
      { name: `${name}.weight`, shape: [inputs, outputs], initialise: truncatedNormal(inputs, scale) },
      { name: `${name}.bias`, shape: [outputs], initialise: fill(0) },
    ],
    apply: (p, x) => {
      // One product of two matrices, whatever the axes in front.
      const rows = reshape(x, [-1, inputs]);
      const y = add(matmul(rows, p[`${name}.weight`]), p[`${name}.bias`]);
      return reshape(y, [...x.shape.slice(0, -1), outputs]);
    },
  };
}

/**
 * y = x W with a block-diagonal W: `blocks` products side by side. Neighbouring features are of one block.
 * x is [rows, inputs].
 */
export function blockProduct(
  name: string,
  inputs: number,
  outputs: number,
  blocks: number,
  scale = 1,
): Layer {
  const [n, m] = [inputs / blocks, outputs / blocks];
  return {
    parameters: [{ name: `${name}.weight`, shape: [blocks, n, m], initialise: truncatedNormal(n, scale) }],
    apply: (p, x) => {
      const [rows] = x.shape;
      const grouped = transpose(reshape(x, [rows, blocks, n]), [1, 0, 2]);
      const y = transpose(matmul(grouped, p[`${name}.weight`]), [1, 0, 2]);
      return reshape(y, [rows, outputs]);
    },
  };
}

/** As `blockProduct`, + b. */
export function blockDense(name: string, inputs: number, outputs: number, blocks: number): Layer {
  const product = blockProduct(name, inputs, outputs, blocks);
  return {
    parameters: [...product.parameters, { name: `${name}.bias`, shape: [outputs], initialise: fill(0) }],
    apply: (p, x) => add(product.apply(p, x), p[`${name}.bias`]),
  };
}

/** x / √(mean x² + ε) · scale over the last axis (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019). */
export function rmsNorm(name: string, width: number): Layer {
  return {
    parameters: [{ name: `${name}.scale`, shape: [width], initialise: fill(1) }],
    apply: (p, x) => {
      const power = mean(square(x), { axes: [-1], keepDims: true });
      return mul(mul(x, reciprocal(sqrt(add(power, RMS_EPSILON)))), p[`${name}.scale`]);
    },
  };
}

/** One after the other. */
export function chain(...layers: readonly Layer[]): Layer {
  return {
    parameters: layers.flatMap((layer) => layer.parameters),
    apply: (p, x) => layers.reduce((y, layer) => layer.apply(p, y), x),
  };
}

const activation: Layer = { parameters: [], apply: (_, x) => silu(x) };

/** RMS norm, SiLU: what follows every product inside a network. */
export const activated = (name: string, width: number): Layer =>
  chain(rmsNorm(`${name}.norm`, width), activation);

/** Product, RMS norm, SiLU: what every hidden layer is. */
export const hidden = (name: string, inputs: number, outputs: number): Layer =>
  chain(dense(name, inputs, outputs), activated(name, outputs));

/** `layers` hidden layers of `units`. */
export function trunk(name: string, inputs: number, units: number, layers: number): Layer {
  return chain(
    ...Array.from({ length: layers }, (_, i) => hidden(`${name}.${i}`, i === 0 ? inputs : units, units)),
  );
}
