import { cameraSides } from '../../robot/cameraSpec.js';
import type { ImageShape } from '../../tasks/task.js';
import { type ParameterSpec, type Parameters, reshape, type Tensor, transpose } from '../../tensor/index.js';
import { chain, dense, hidden, type Layer } from './layers.js';

/** Sides of the grid that is left for one vector. */
const SMALLEST_SIDE = 4;

/** Halvings of both sides until one of them is 4. */
const halvings = ({ height, width }: ImageShape) =>
  Math.round(Math.log2(Math.min(height, width) / SMALLEST_SIDE));

/** Numbers of a picture; none of none. */
export const pixelsOf = (image: ImageShape | undefined): number =>
  image ? image.height * image.width * image.channels : 0;

/** Why a shape cannot be encoded, or undefined. */
export function imageProblem({ height, width }: ImageShape): string | undefined {
  const fits = (side: number) => (cameraSides as readonly number[]).includes(side);
  return fits(height) && fits(width) ? undefined : `is ${height}×${width}, expected sides of 8, 16, 32 or 64`;
}

/**
 * Image, row-major, channels last, from 0 to 1, to vector and back. Each layer takes patches of 2×2 that do not
 * overlap, which is a convolution of stride 2 written as one matrix product; DreamerV3's own kernels of 5 cost six
 * times as much on a processor.
 */
export class ImageCodec {
  /** Length of the vector. */
  readonly size: number;
  readonly parameters: readonly ParameterSpec[];
  private readonly down: Layer[] = [];
  private readonly up: Layer[] = [];
  private readonly start: Layer;

  constructor(
    readonly shape: ImageShape,
    channels: number,
    features: number,
  ) {
    const levels = halvings(shape);
    const widths = [shape.channels, ...Array.from({ length: levels }, (_, i) => channels * 2 ** i)];
    for (let i = 0; i < levels; i++) {
      this.down.push(hidden(`image.down.${i}`, 4 * widths[i], widths[i + 1]));
      const name = `image.up.${i}`;
      this.up.push(
        i === 0 ? dense(name, widths[1], 4 * widths[0]) : hidden(name, widths[i + 1], 4 * widths[i]),
      );
    }
    this.size = (shape.height / 2 ** levels) * (shape.width / 2 ** levels) * widths[levels];
    this.start = chain(hidden('image.start', features, this.size));
    this.parameters = [...this.down, ...this.up, this.start].flatMap((layer) => layer.parameters);
  }

  /** [rows, height · width · channels] → [rows, size]. */
  encode(p: Parameters, image: Tensor): Tensor {
    const rows = image.shape[0];
    let { height, width } = this.shape;
    let x = image;
    for (const layer of this.down) {
      [height, width] = [height / 2, width / 2];
      const channels = x.size / rows / height / width / 4;
      const patches = transpose(reshape(x, [rows, height, 2, width, 2, channels]), [0, 1, 3, 2, 4, 5]);
      x = layer.apply(p, reshape(patches, [rows, height, width, 4 * channels]));
    }
    return reshape(x, [rows, this.size]);
  }

  /** Features [rows, features] → image [rows, height · width · channels], not bounded. */
  decode(p: Parameters, features: Tensor): Tensor {
    const rows = features.shape[0];
    const levels = this.up.length;
    let [height, width] = [this.shape.height / 2 ** levels, this.shape.width / 2 ** levels];
    let x = this.start.apply(p, features);
    for (const layer of [...this.up].reverse()) {
      const patches = layer.apply(p, reshape(x, [rows, height, width, x.size / rows / height / width]));
      const channels = patches.size / rows / height / width / 4;
      x = transpose(reshape(patches, [rows, height, width, 2, 2, channels]), [0, 1, 3, 2, 4, 5]);
      [height, width] = [2 * height, 2 * width];
    }
    return reshape(x, [rows, pixelsOf(this.shape)]);
  }
}
