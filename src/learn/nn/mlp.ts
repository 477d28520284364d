import { batchNormLinear, dropout, lambda, layerNorm, linear, sequential } from './layers.js';
import { type Activation, activations, type Module } from './module.js';

export interface MlpOptions {
  activation: Activation;
  /**
   * layer: between each hidden product and its activation (DroQ's order: product, dropout, norm, activation);
   * batch: on the input and after each activation (CrossQ's).
   */
  norm?: 'none' | 'layer' | 'batch';
  dropout?: boolean;
}

/** A multilayer perceptron with a linear output: sizes [inputs, hidden.., outputs]. */
export function mlp(name: string, sizes: readonly number[], options: MlpOptions): Module {
  const { norm = 'none' } = options;
  const activation = activations[options.activation];
  const modules: Module[] = [];
  for (const [i, outputs] of sizes.slice(1).entries()) {
    const id = `${name}.${i}`;
    const before = i === 0 ? `${name}.input` : `${name}.${i - 1}`;
    modules.push(
      norm === 'batch' ? batchNormLinear(before, id, sizes[i], outputs) : linear(id, sizes[i], outputs),
    );
    if (i === sizes.length - 2) break;
    if (options.dropout) modules.push(dropout());
    if (norm === 'layer') modules.push(layerNorm(id, outputs));
    modules.push(lambda((_, x) => activation(x)));
  }
  return sequential(...modules);
}
