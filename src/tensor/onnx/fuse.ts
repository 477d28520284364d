import type { Tensor } from '../graph.js';
import { type Shape, sameShape, sizeOf } from '../shape.js';

/** How often each tensor is used by what is lowered. */
type Uses = ReadonlyMap<Tensor, number>;

/** Tensors that become part of the one that uses them and are not computed by themselves. */
export function absorbed(t: Tensor, uses: Uses): Tensor[] {
  const product = gemmOf(t, uses);
  return product ? [product] : (layerNormOf(t, uses)?.parts ?? []);
}

/** The product that an addition can take in: two-dimensional, used nowhere else, the other operand broadcasting to it. */
export function gemmOf(t: Tensor, uses: Uses): Tensor | undefined {
  if (t.op.name !== 'add' || t.rank !== 2) return undefined;
  return t.inputs
    .filter((x) => x.op.name === 'matmul' && uses.get(x) === 1 && sizeOf(x.shape) === t.size)
    .sort((a, b) => b.id - a.id)[0];
}

export interface LayerNorm {
  x: Tensor;
  scale: Tensor;
  offset: Tensor;
  epsilon: number;
  parts: Tensor[];
}

/**
 * An addition that ends a normalisation with scale and offset, where nothing else uses what is in between. Gradients
 * do use the normalised values: where they are taken it stays in parts.
 */
export function layerNormOf(t: Tensor, uses: Uses): LayerNorm | undefined {
  const [scaled, offset] = t.inputs;
  if (t.op.name !== 'add' || scaled.op.name !== 'mul') return undefined;
  const [normalized, scale] = scaled.inputs;
  const { op } = normalized;
  if (op.name !== 'normalize' || uses.get(scaled) !== 1 || uses.get(normalized) !== 1) return undefined;
  const width: Shape = normalized.shape.slice(-1);
  if (!sameShape(scale.shape, width) || !sameShape(offset.shape, width)) return undefined;
  return { x: normalized.inputs[0], scale, offset, epsilon: op.epsilon, parts: [normalized, scaled] };
}
