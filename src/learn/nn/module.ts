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
  /** @param x [batch, features] */
  apply(parameters: Parameters, x: Tensor, pass: Pass): Tensor;
}

/**
 * One walk through a network. Layers that behave differently in training, or that need noise, ask it; each
 * application in a graph has a pass of its own.
 */
export class Pass {
  private masks = 0;
  /** New running statistics, by name, that this pass's batch gives. */
  readonly statistics: Record<string, Tensor> = {};

  /**
   * @param name of this pass; its inputs carry it
   * @param batchStatistics normalise by the batch at hand; else by the running statistics
   */
  constructor(
    private readonly graph: Graph,
    private readonly name: string,
    readonly batchStatistics = false,
  ) {}

  /** A fresh input of 0 (dropped) and 1 / (1 − rate) (kept). */
  dropoutMask(shape: readonly number[]): Tensor {
    return this.graph.input(`dropout.${this.name}.${this.masks++}`, shape);
  }
}

export const activations: Record<Activation, (x: Tensor) => Tensor> = { relu, tanh, silu, elu };

export type Activation = 'relu' | 'tanh' | 'silu' | 'elu';
