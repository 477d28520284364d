import {
  concat,
  expand,
  less,
  matmul,
  reshape,
  slice,
  sub,
  type Tensor,
  toFloat,
} from '../../tensor/index.js';

/**
 * One-hot of the first class whose cumulated probability exceeds a level: with a level that is uniform in [0, 1), a
 * draw from the distribution at the price of one random number.
 * @param p probabilities [rows, variables, classes]
 * @param level [rows, variables, 1]
 */
export function oneHotAt(p: Tensor, level: Tensor): Tensor {
  const g = p.graph;
  const [rows, variables, classes] = p.shape;
  const upTo = Array.from({ length: classes * classes }, (_, i) =>
    Math.floor(i / classes) <= i % classes ? 1 : 0,
  );
  const cumulated = matmul(reshape(p, [-1, classes]), g.constant(upTo, [classes, classes]));
  // Below the level: no; at or above: yes, from the class that is drawn on.
  const reached = toFloat(less(level, slice(reshape(cumulated, p.shape), 2, 0, classes - 1)));
  const column = (value: number) => expand(g.constant(value), [rows, variables, 1]);
  // The last class takes whatever rounding leaves: [r₁ .. rₙ₋₁, 1] − [0, r₁ .. rₙ₋₁].
  return sub(concat([reached, column(1)], 2), concat([column(0), reached], 2));
}
