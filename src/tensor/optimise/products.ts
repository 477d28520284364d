import type { Tensor } from '../graph.js';
import { matmul, mul, reshape } from '../operations.js';
import type { Rule } from './rewrite.js';

/**
 * Products that are none: a column times a row is an elementwise product with both broadcast, which joins the
 * operations around it, the mask of an activation above all. And a transposed operand is read transposed, not moved.
 */
export const products: Rule = (inputs, { op }) => {
  if (op.name !== 'matmul') return undefined;
  let [a, b] = inputs;
  let { transposeA, transposeB } = op;
  if (exchangesLastTwo(a)) [a, transposeA] = [a.inputs[0], !transposeA];
  if (exchangesLastTwo(b)) [b, transposeB] = [b.inputs[0], !transposeB];
  const depth = a.shape[a.rank - (transposeA ? 2 : 1)];
  if (depth === 1) return mul(transposeA ? turned(a) : a, transposeB ? turned(b) : b);
  return matmul(a, b, { transposeA, transposeB });
};

/** A row for a column, or the reverse. */
const turned = (x: Tensor) => reshape(x, [...x.shape.slice(0, -2), x.shape[x.rank - 1], x.shape[x.rank - 2]]);

const exchangesLastTwo = ({ op, rank }: Tensor): boolean =>
  op.name === 'transpose' &&
  rank >= 2 &&
  op.permutation.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
