import { add, div, type Graph, mul, sqrt, sub, type Tensor } from '../../tensor/index.js';
import { biasCorrection } from './biasCorrection.js';

export interface AdamOptions {
  learningRate: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

export interface AdamStep {
  /** The stepped parameters. */
  value: Tensor;
  /** All states to update: the parameters, both moments and the step count. */
  updates: [state: Tensor, value: Tensor][];
}

/**
 * One step of Adam (Kingma and Ba, 2015) on a flat vector of parameters. Its states are named after the
 * parameters' own.
 *
 * The moments are kept as plain decayed sums, M = m / (1 − β₁) and V = v / (1 − β₂): that takes two passes over the
 * vector less than the averages do, and the bias corrections absorb the factors into scalars:
 *
 *     m̂ / (√v̂ + ε) = k M / (√V + ε c)   with   c = √((1 − β₂ᵗ) / (1 − β₂))   and   k = c (1 − β₁) / (1 − β₁ᵗ)
 */
export function adam(graph: Graph, parameters: Tensor, gradient: Tensor, options: AdamOptions): AdamStep {
  if (parameters.op.name !== 'state') throw new TypeError(`adam steps states, not ${parameters}`);
  const { id } = parameters.op;
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const M = graph.state(`${id}.adam.m`, parameters.shape);
  const V = graph.state(`${id}.adam.v`, parameters.shape);
  const t = graph.state(`${id}.adam.t`, []);
  const tNew = add(t, 1);
  const MNew = add(mul(M, beta1), gradient);
  const VNew = add(mul(V, beta2), mul(gradient, gradient));
  const correction = (beta: number) => biasCorrection(tNew, beta, 1 - beta);
  const c = sqrt(correction(beta2));
  const k = mul(div(c, correction(beta1)), learningRate);
  const value = sub(parameters, mul(div(MNew, add(sqrt(VNew), mul(c, epsilon))), k));
  return {
    value,
    updates: [
      [parameters, value],
      [M, MNew],
      [V, VNew],
      [t, tNew],
    ],
  };
}
