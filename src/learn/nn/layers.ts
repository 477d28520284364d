import type { Random } from '../../base/random.js';
import {
  add,
  mean as batchMean,
  div,
  matmul,
  mul,
  normalize,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  type Tensor,
} from '../../tensor/index.js';
import type { Module } from './module.js';

const constant = (value: number) => (values: Float32Array) => {
  values.fill(value);
};

/** As in PyTorch and ONNX. */
const LAYER_NORM_EPSILON = 1e-5;

/** As in CrossQ. */
const BATCH_NORM_EPSILON = 1e-3;

/**
 * y = x W + b, with W [inputs, outputs]. Weights and biases start uniform in ± 1 / √inputs, which is PyTorch's
 * default and so CleanRL's.
 */
export function linear(name: string, inputs: number, outputs: number): Module {
  const bound = 1 / Math.sqrt(inputs);
  const initialise = (values: Float32Array, random: Random) => random.fillUniform(values, -bound, bound);
  return {
    parameters: [
      { name: `${name}.weight`, shape: [inputs, outputs], initialise },
      { name: `${name}.bias`, shape: [outputs], initialise },
    ],
    apply: (p, x) => add(matmul(x, p[`${name}.weight`]), p[`${name}.bias`]),
  };
}

/** Normalisation of each row to mean 0 and deviation 1, then scale and offset (Ba, Kiros and Hinton, 2016). */
export function layerNorm(name: string, width: number): Module {
  return {
    parameters: [
      { name: `${name}.scale`, shape: [width], initialise: constant(1) },
      { name: `${name}.offset`, shape: [width], initialise: constant(0) },
    ],
    apply: (p, x) => add(mul(normalize(x, LAYER_NORM_EPSILON), p[`${name}.scale`]), p[`${name}.offset`]),
  };
}

/**
 * Normalisation of each feature by its mean and variance over the batch while learning, by running ones otherwise,
 * with scale and offset (Ioffe and Szegedy, 2015), and the linear layer that follows it. The normalisation of x to
 * x ∘ f + c is taken into the layer, x (diag(f) W) + (c W + b): features are read where they are, and the gradients of
 * scale, offset and mean come from those of W and b, without a sum over the batch of their own.
 * @param norm name of the normalisation's parameters
 * @param name of the layer's
 * @param rate at which the running statistics follow the batch's
 */
export function batchNormLinear(
  norm: string,
  name: string,
  inputs: number,
  outputs: number,
  rate = 0.01,
): Module {
  const [mean, variance] = [`${norm}.mean`, `${norm}.variance`];
  const layer = linear(name, inputs, outputs);
  return {
    parameters: [
      { name: `${norm}.scale`, shape: [inputs], initialise: constant(1) },
      { name: `${norm}.offset`, shape: [inputs], initialise: constant(0) },
      ...layer.parameters,
    ],
    statistics: [
      { name: mean, shape: [inputs], initialise: constant(0) },
      { name: variance, shape: [inputs], initialise: constant(1) },
    ],
    apply(p, x, { statistics, learning }) {
      let m = statistics[mean];
      let v = statistics[variance];
      if (learning) {
        const follow = (id: string, value: Tensor) => {
          statistics[id] = add(statistics[id], mul(sub(stopGradient(value), statistics[id]), rate));
        };
        m = batchMean(x, { axes: [0] });
        v = batchMean(square(sub(x, m)), { axes: [0] });
        follow(mean, m);
        follow(variance, v);
      }
      const f = div(p[`${norm}.scale`], sqrt(add(v, BATCH_NORM_EPSILON)));
      const c = sub(p[`${norm}.offset`], mul(m, f));
      const W = p[`${name}.weight`];
      const bias = add(matmul(reshape(c, [1, inputs]), W), p[`${name}.bias`]);
      return add(matmul(x, mul(W, reshape(f, [inputs, 1]))), bias);
    },
  };
}

/** Drops elements, by a mask that is an input of the graph, so that a seed decides every one of them. */
export function dropout(): Module {
  return { parameters: [], apply: (_, x, pass) => mul(x, pass.dropoutMask(x.shape)) };
}

/** A function as a module. */
export function lambda(apply: Module['apply']): Module {
  return { parameters: [], apply };
}

/** One after the other. */
export function sequential(...modules: readonly Module[]): Module {
  return {
    parameters: modules.flatMap((m) => m.parameters),
    statistics: modules.flatMap((m) => m.statistics ?? []),
    apply: (p, x, pass) => modules.reduce((y, m) => m.apply(p, y, pass), x),
  };
}
