import {
  add,
  div,
  equal,
  log,
  logSoftmax,
  mul,
  reduceMax,
  reshape,
  slice,
  softmax,
  softplus,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  toFloat,
} from '../../tensor/index.js';
import { oneHotAt } from './oneHot.js';
import type { DreamerConfig } from './presets.js';

/** The stochastic part z of the model's state: what its distribution is made of, and how it is drawn and compared. */
export interface Latent {
  /** Length of z: variables · classes. */
  readonly size: number;
  readonly variables: number;
  /** Of each variable, one-hot; 1 for a variable that is a number. */
  readonly classes: number;
  /** Numbers that describe a distribution. */
  readonly statistics: number;
  /** Random numbers for one draw, and of which kind. */
  readonly noise: { readonly size: number; readonly kind: 'uniform' | 'normal' };
  /** A draw [rows, size] that gradients cross, from statistics [rows, statistics] and noise [rows, noise.size]. */
  draw(statistics: Tensor, noise: Tensor): Tensor;
  /** The most likely z, [rows, size]; what a policy acts on when it is not to explore. */
  mode(statistics: Tensor): Tensor;
  /** KL(p ‖ q), summed over the variables: [rows, 1]. */
  divergence(p: Tensor, q: Tensor): Tensor;
  /** [rows, 1], in nats. */
  entropy(statistics: Tensor): Tensor;
}

export const latentOf = (config: DreamerConfig): Latent =>
  config.latent === 'categorical'
    ? categorical(config.stoch, config.classes, config.unimix)
    : gaussian(config.stoch);

/**
 * One of `classes` for each of `variables`, one-hot, with straight-through gradients (DreamerV2, algorithm 1) and a
 * share of the uniform distribution in every probability (DreamerV3, "unimix").
 */
function categorical(variables: number, classes: number, unimix: number): Latent {
  const size = variables * classes;
  const each = (x: Tensor) => reshape(x, [x.shape[0], variables, classes]);
  const probabilities = (logits: Tensor) => add(mul(softmax(each(logits)), 1 - unimix), unimix / classes);
  const logProbabilities = (logits: Tensor) =>
    unimix > 0 ? log(probabilities(logits)) : logSoftmax(each(logits));
  const total = (x: Tensor) => reshape(sum(x, { axes: [1, 2] }), [x.shape[0], 1]);

  return {
    size,
    variables,
    classes,
    statistics: size,
    noise: { size: variables, kind: 'uniform' },
    draw(logits, noise) {
      const p = probabilities(logits);
      const drawn = stopGradient(oneHotAt(p, reshape(noise, [noise.shape[0], variables, 1])));
      return reshape(add(drawn, sub(p, stopGradient(p))), [p.shape[0], size]);
    },
    mode(logits) {
      const x = each(logits);
      return reshape(toFloat(equal(x, reduceMax(x, { axes: [2], keepDims: true }))), [x.shape[0], size]);
    },
    divergence(p, q) {
      return total(mul(probabilities(p), sub(logProbabilities(p), logProbabilities(q))));
    },
    entropy(logits) {
      return mul(total(mul(probabilities(logits), logProbabilities(logits))), -1);
    },
  };
}

/** Independent normal variables; statistics are means, then deviations before softplus. */
function gaussian(variables: number): Latent {
  const MINIMUM_DEVIATION = 0.1;
  const mean = (s: Tensor) => slice(s, 1, 0, variables);
  const deviation = (s: Tensor) => add(softplus(slice(s, 1, variables, 2 * variables)), MINIMUM_DEVIATION);
  const total = (x: Tensor) => sum(x, { axes: [1], keepDims: true });
  return {
    size: variables,
    variables,
    classes: 1,
    statistics: 2 * variables,
    noise: { size: variables, kind: 'normal' },
    draw: (s, noise) => add(mean(s), mul(deviation(s), noise)),
    mode: mean,
    divergence(p, q) {
      const [sp, sq] = [deviation(p), deviation(q)];
      const squares = div(add(square(sp), square(sub(mean(p), mean(q)))), mul(square(sq), 2));
      return total(sub(add(log(div(sq, sp)), squares), 0.5));
    },
    entropy: (s) => total(add(log(deviation(s)), 0.5 * Math.log(2 * Math.PI * Math.E))),
  };
}
