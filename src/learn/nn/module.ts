import {
  elu,
  type Graph,
  type ParameterSpec,
  type Parameters,
  relu,
  silu,
  type Tensor,
  tanh,
} from '../../tensor/index.js';

/**
 * A piece of a network: which parameters it has, and what it does with them. The parameters' values come with each
 * application, so that an online and a target network are one module applied to two vectors.
 */
export interface Module {
  readonly parameters: readonly ParameterSpec[];
  /** What it keeps that is measured rather than learned: running means, say. */
  readonly statistics?: readonly ParameterSpec[];
  /** @param x [batch, features] */
  apply(parameters: Parameters, x: Tensor, pass: Pass): Tensor;
}

/**
 * One walk through a network. Layers that need noise, or that behave differently while learning, ask it; each
 * application in a graph has a pass of its own.
 */
export class Pass {
  /** The running statistics by name, after this pass those that it has renewed. */
  readonly statistics: Record<string, Tensor>;
  private masks = 0;

  /**
   * @param name of this pass; inputs that it makes carry it
   * @param statistics the running statistics
   * @param learning normalise by the batch at hand and renew the running statistics, rather than normalise by them
   */
  constructor(
    private readonly graph: Graph,
    private readonly name: string,
    statistics: Parameters = {},
    readonly learning = false,
  ) {
    this.statistics = { ...statistics };
  }

  /** A fresh input of 0 (dropped) and 1 / (1 − rate) (kept). */
  dropoutMask(shape: readonly number[]): Tensor {
    return this.graph.input(`dropout.${this.name}.${this.masks++}`, shape);
  }
}

export type Activation = 'relu' | 'tanh' | 'silu' | 'elu';

export const activations: Record<Activation, (x: Tensor) => Tensor> = { relu, tanh, silu, elu };
