import { type Activation, activate, dense, layerNorm } from './layers.js';

export interface MlpLayer {
  readonly outputs: number;
  /** Default `linear`. */
  readonly activation?: Activation;
  /** Layer normalisation between the product and the activation. */
  readonly layerNorm?: boolean;
}

/** As in PyTorch and ONNX. */
const LAYER_NORM_EPSILON = 1e-5;

interface BuiltLayer {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly scale: Float32Array | undefined;
  readonly offset: Float32Array | undefined;
  readonly activation: Activation;
  readonly sum: Float64Array;
  readonly out: Float32Array;
}

/**
 * A multilayer perceptron at batch 1: synchronous and free of allocation, for the threads that
 * simulate or drive a robot and cannot wait for a promise.
 */
export class Mlp {
  readonly inputs: number;
  readonly outputs: number;
  /**
   * Every parameter in one vector, layer by layer: weight [in, out] row-major, bias [out], and for
   * a layer with normalisation scale [out], offset [out]. Starts as zeros, scales as ones.
   */
  readonly parameters: Float32Array;
  private readonly layers: BuiltLayer[] = [];
  private readonly active: Int32Array;

  constructor(inputs: number, layers: readonly MlpLayer[]) {
    if (layers.length === 0) throw new RangeError('a network needs at least one layer');
    this.inputs = inputs;
    this.outputs = layers[layers.length - 1].outputs;
    this.parameters = new Float32Array(Mlp.parameterCount(inputs, layers));
    this.active = new Int32Array(Math.max(inputs, ...layers.map((l) => l.outputs)));
    let at = 0;
    const take = (n: number) => {
      at += n;
      return this.parameters.subarray(at - n, at);
    };
    let width = inputs;
    for (const { outputs, activation = 'linear', layerNorm: normalised } of layers) {
      this.layers.push({
        weight: take(width * outputs),
        bias: take(outputs),
        scale: normalised ? take(outputs).fill(1) : undefined,
        offset: normalised ? take(outputs) : undefined,
        activation,
        sum: new Float64Array(outputs),
        out: new Float32Array(outputs),
      });
      width = outputs;
    }
  }

  /** Hidden layers of the given widths, all alike, and a linear output. */
  static of(
    inputs: number,
    hidden: readonly number[],
    outputs: number,
    options: { readonly activation?: Activation; readonly layerNorm?: boolean } = {},
  ): Mlp {
    const { activation = 'relu', layerNorm: normalised = false } = options;
    return new Mlp(inputs, [
      ...hidden.map((width) => ({ outputs: width, activation, layerNorm: normalised })),
      { outputs },
    ]);
  }

  static parameterCount(inputs: number, layers: readonly MlpLayer[]): number {
    let count = 0;
    let width = inputs;
    for (const layer of layers) {
      count += (width + 1) * layer.outputs + (layer.layerNorm ? 2 * layer.outputs : 0);
      width = layer.outputs;
    }
    return count;
  }

  /** Copies new weights in place, in the order of `parameters`. @throws RangeError where the length differs */
  setParameters(flat: Float32Array): void {
    if (flat.length !== this.parameters.length)
      throw new RangeError(`${flat.length} parameters given, the network has ${this.parameters.length}`);
    this.parameters.set(flat);
  }

  /**
   * @param observation [inputs]
   * @returns [outputs], the same array at every call
   */
  forward(observation: Float32Array): Float32Array {
    if (observation.length !== this.inputs)
      throw new RangeError(`observation of ${observation.length} values, the network takes ${this.inputs}`);
    let x = observation;
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i];
      dense(x, layer.weight, layer.bias, layer.sum, this.active);
      if (layer.scale) layerNorm(layer.sum, layer.scale, layer.offset, LAYER_NORM_EPSILON);
      activate(layer.sum, layer.out, layer.activation);
      x = layer.out;
    }
    return x;
  }
}
