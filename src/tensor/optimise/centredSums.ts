import type { Tensor } from '../graph.js';
import { add, expand, mul, reshape, sum } from '../operations.js';
import { isSameAlong, sameShape } from '../shape.js';
import type { Rule } from './rewrite.js';

/**
 * Deviations from their own mean add up to 0, and what is the same along the axes of a sum is taken out of it. So the
 * gradient of batch normalisation needs no sum that waits for another: of Σ (g f + d c), with d = x − mean x, only
 * f Σ g is left, and Σ g is there already as the gradient of the offset.
 */
export const centredSums: Rule = (inputs, { op, shape }, graph) => {
  if (op.name !== 'sum') return undefined;
  const { axes } = op;
  const [whole] = inputs;
  const terms = addends(whole);
  const left = terms.filter((x) => !vanishes(x, axes));
  // Without deviations among them, terms are better added before they are summed.
  if (left.length === terms.length) return undefined;
  const kept = whole.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const summed = left.map((x) => {
    const [large, factor] = taken(x, axes) ?? [x];
    const total = sum(large, { axes, keepDims: true });
    return factor ? mul(total, factor) : total;
  });
  const total = summed.length > 0 ? summed.reduce((a, b) => add(a, b)) : expand(graph.constant(0), kept);
  return reshape(total, shape);
};

function addends(t: Tensor): Tensor[] {
  const joined = t.op.name === 'add' && t.inputs.every((x) => sameShape(x.shape, t.shape));
  return joined ? t.inputs.flatMap(addends) : [t];
}

/** A product as its larger part and a factor that is the same along these axes, where it is one. */
function taken({ op, inputs, shape }: Tensor, axes: readonly number[]): [Tensor, Tensor] | undefined {
  if (op.name !== 'mul') return undefined;
  const [a, b] = inputs;
  const [large, factor] = sameShape(a.shape, shape) ? [a, b] : [b, a];
  const fits = sameShape(large.shape, shape) && isSameAlong(factor.shape, shape, axes);
  return fits ? [large, factor] : undefined;
}

/** Is it x − mean x, the mean taken along these axes, or that times something that is the same along them? */
function vanishes(t: Tensor, axes: readonly number[]): boolean {
  const product = taken(t, axes);
  if (product) return vanishes(product[0], axes);
  if (t.op.name !== 'sub') return false;
  const [x, m] = t.inputs;
  const mean = m.op.name === 'reshape' ? m.inputs[0] : m;
  if (mean.op.name !== 'mean' || mean.inputs[0] !== x || `${mean.op.axes}` !== `${axes}`) return false;
  // Broadcast to where it was taken from.
  return isSameAlong(m.shape, x.shape, axes);
}
