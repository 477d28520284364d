import type { Random } from '../base/random.js';
import { gradients } from './gradients.js';
import type { Tensor } from './graph.js';
import { concat, reshape, slice } from './operations.js';
import { type Shape, ShapeError, sameShape, sizeOf } from './shape.js';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  /** Fills the first values, row-major. */
  readonly initialise: (values: Float32Array, random: Random) => void;
}

export type Parameters = Readonly<Record<string, Tensor>>;

/**
 * Named parameters packed into one flat vector, in order. An optimiser then steps all of them with a handful of
 * operations, and a checkpoint or a policy hand-over is one copy.
 */
export class ParameterLayout {
  /** Length of the flat vector. */
  readonly size: number;
  readonly entries: readonly (ParameterSpec & { readonly offset: number; readonly size: number })[];

  constructor(specs: readonly ParameterSpec[]) {
    let offset = 0;
    this.entries = specs.map((spec) => {
      const size = sizeOf(spec.shape);
      offset += size;
      return { ...spec, offset: offset - size, size };
    });
    this.size = offset;
    const twice = specs.find((spec, i) => specs.findIndex((other) => other.name === spec.name) !== i);
    if (twice) throw new Error(`two parameters are called "${twice.name}"`);
  }

  initialise(random: Random): Float32Array {
    const flat = new Float32Array(this.size);
    for (const { offset, size, initialise } of this.entries)
      initialise(flat.subarray(offset, offset + size), random);
    return flat;
  }

  /** The parameters as tensors cut out of the flat vector [size]. */
  views(flat: Tensor): Parameters {
    if (!sameShape(flat.shape, [this.size]))
      throw new ShapeError('views', [flat.shape, [this.size]], 'differ');
    return Object.fromEntries(
      this.entries.map(({ name, shape, offset, size }) => [
        name,
        reshape(slice(flat, 0, offset, offset + size), shape),
      ]),
    );
  }

  /** The flat vector of tensors that have the parameters' names and shapes. */
  flatten(tensors: Parameters): Tensor {
    return concat(
      this.entries.map(({ name, size }) => reshape(tensors[name], [size])),
      0,
    );
  }

  /** The gradient of a scalar with respect to the parameters, as one flat vector. */
  gradient(loss: Tensor, views: Parameters): Tensor {
    const names = this.entries.map(({ name }) => name);
    const found = gradients(
      loss,
      names.map((name) => views[name]),
    );
    return this.flatten(Object.fromEntries(names.map((name, i) => [name, found[i]])));
  }

  /** Views of a flat vector's values, by name. */
  cut(flat: Float32Array): Record<string, Float32Array> {
    return Object.fromEntries(
      this.entries.map(({ name, offset, size }) => [name, flat.subarray(offset, offset + size)]),
    );
  }
}
