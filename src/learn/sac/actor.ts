import {
  add,
  clip,
  exp,
  mul,
  type Parameters,
  slice,
  softplus,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../tensor/index.js';
import { type Module, mlp, type Pass } from '../nn/index.js';
import type { SacConfig } from './presets.js';

/** [batch, observations] → [batch, 2 · actions]: the means before tanh, then the logarithms of the deviations. */
export function actorNetwork(observations: number, actions: number, config: SacConfig): Module {
  return mlp('actor', [observations, ...config.actor_hidden, 2 * actions], { activation: config.activation });
}

export interface Gaussian {
  /** Mean before tanh, [batch, actions]. */
  mean: Tensor;
  logStd: Tensor;
}

export function gaussian(
  actor: Module,
  p: Parameters,
  observation: Tensor,
  config: SacConfig,
  pass: Pass,
): Gaussian {
  const head = actor.apply(p, observation, pass);
  const actions = head.shape[1] / 2;
  return {
    mean: slice(head, 1, 0, actions),
    logStd: clip(slice(head, 1, actions, 2 * actions), ...config.log_std),
  };
}

/**
 * A reparameterised draw a = tanh(u), u = μ + σ ε, and its log-probability [batch, 1]:
 *
 *     log π(a) = Σ log N(u; μ, σ) − log(1 − tanh² u),   log(1 − tanh² u) = 2 (log 2 − u − softplus(−2 u))
 *
 * The last form stays finite where tanh u rounds to 1 (Haarnoja et al., 2018, appendix C; learnt from TensorFlow
 * Probability's Tanh bijector).
 * @param noise ε ~ N(0, 1), [batch, actions]
 */
export function sample({ mean, logStd }: Gaussian, noise: Tensor): { action: Tensor; logProb: Tensor } {
  const u = add(mean, mul(exp(logStd), noise));
  const logNormal = sub(mul(mul(noise, noise), -0.5), add(logStd, 0.5 * Math.log(2 * Math.PI)));
  const logSlope = mul(sub(Math.log(2), add(u, softplus(mul(u, -2)))), 2);
  return { action: tanh(u), logProb: sum(sub(logNormal, logSlope), { axes: [1], keepDims: true }) };
}
