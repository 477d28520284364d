import {
  add,
  concat,
  div,
  expand,
  type Graph,
  max,
  min,
  mul,
  type ParameterLayout,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import type { AdamStep } from './adam.js';
import { biasCorrection } from './biasCorrection.js';

export interface LaPropOptions {
  learningRate: number;
  /** Steps over which the learning rate rises from zero. */
  warmup: number;
  /** Largest norm of a gradient as a share of its weights' norm. */
  clip: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

/** Weights of less norm than this are clipped as though they had it. */
const LEAST_NORM = 1e-3;

/**
 * One step of LaProp (Ziyin et al., "LaProp: Separating Momentum and Adaptivity in Adam", 2020): the gradient is
 * divided by its root mean square first and averaged afterwards, which stays bounded at a tiny ε. Before that, each
 * parameter's gradient is held to a share of the parameter's norm (Brock et al., "High-Performance Large-Scale Image
 * Recognition Without Normalization", 2021, eq. 3, for whole tensors).
 */
export function laprop(
  graph: Graph,
  parameters: Tensor,
  gradient: Tensor,
  layout: ParameterLayout,
  options: LaPropOptions,
): AdamStep {
  if (parameters.op.name !== 'state') throw new TypeError(`laprop steps states, not ${parameters}`);
  const { id } = parameters.op;
  const { learningRate, warmup, clip, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-20 } = options;
  const m = graph.state(`${id}.laprop.m`, parameters.shape);
  const v = graph.state(`${id}.laprop.v`, parameters.shape);
  const t = graph.state(`${id}.laprop.t`, []);
  const tNew = add(t, 1);

  const norm = (x: Tensor) => sqrt(sum(square(x)));
  const clipped = concat(
    layout.entries.map(({ offset, size }) => {
      const g = slice(gradient, 0, offset, offset + size);
      const most = mul(max(norm(slice(parameters, 0, offset, offset + size)), LEAST_NORM), clip);
      const factor = min(div(most, add(norm(g), 1e-12)), 1);
      return mul(g, expand(reshape(factor, [1]), [size]));
    }),
    0,
  );
  const vNew = add(mul(v, beta2), mul(square(clipped), 1 - beta2));
  const scaled = div(clipped, add(sqrt(div(vNew, biasCorrection(tNew, beta2))), epsilon));
  const mNew = add(mul(m, beta1), mul(scaled, 1 - beta1));
  const rate = warmup > 0 ? mul(min(div(tNew, warmup), 1), learningRate) : learningRate;
  const value = sub(parameters, mul(div(mNew, biasCorrection(tNew, beta1)), rate));
  return {
    value,
    updates: [
      [parameters, value],
      [m, mNew],
      [v, vNew],
      [t, tNew],
    ],
  };
}
