import { dropout, lambda, layerNorm, linear, sequential } from './layers.js';
import { type Activation, activations, type Module } from './module.js';

export interface MlpOptions {
  activation: Activation;
  /** After each hidden product: dropout if asked for, the normalisation, then the activation (DroQ's order). */
  norm?: 'none' | 'layer';
  dropout?: boolean;
}

/** A multilayer perceptron with a linear output: sizes [inputs, hidden.., outputs]. */
export function mlp(name: string, sizes: readonly number[], options: MlpOptions): Module {
  const activation = activations[options.activation];
  return sequential(
    ...sizes.slice(1).flatMap((outputs, i) => {
      const product = linear(`${name}.${i}`, sizes[i], outputs);
      if (i === sizes.length - 2) return [product];
      return [
        product,
        ...(options.dropout ? [dropout()] : []),
        ...(options.norm === 'layer' ? [layerNorm(`${name}.${i}`, outputs)] : []),
        lambda((_, x) => activation(x)),
      ];
    }),
  );
}
