import { type Graph, reachable, type Tensor } from '../graph.js';
import { rewrite } from '../optimise/rewrite.js';
import { isSameAlong, sameShape } from '../shape.js';

/**
 * Products and squares of which nothing but sums are taken are not stored: Σ x y and Σ (x − c)² become operations.
 * Variances, and the gradients of scales, are of that kind.
 */
export function sumsOfProducts(graph: Graph): Graph {
  const roots = [...graph.steps.values()].flatMap((s) => [
    ...s.updates.values(),
    ...Object.values(s.outputs),
  ]);
  const stored = new Set<Tensor>(roots);
  for (const t of reachable(roots)) if (!isSum(t)) for (const input of t.inputs) stored.add(input);
  return rewrite(graph, (inputs, t, next) => {
    const { op } = t;
    const [product] = t.inputs;
    if (!isSum(t) || !('axes' in op) || product.op.name !== 'mul' || stored.has(product)) return undefined;
    if (!product.inputs.every((x) => sameShape(x.shape, product.shape))) return undefined;
    const { axes, keepDims } = op;
    const scale = op.name === 'mean' ? t.size / product.size : 1;
    const [x, y] = inputs[0].inputs;
    if (
      x === y &&
      x.op.name === 'sub' &&
      sameShape(x.inputs[0].shape, x.shape) &&
      isSameAlong(x.inputs[1].shape, x.shape, axes)
    )
      return next.node({ name: 'sumOfSquares', axes, keepDims, scale }, x.inputs, t.shape);
    return next.node({ name: 'sumOfProducts', axes, keepDims, scale }, [x, y], t.shape);
  });
}

const isSum = ({ op }: Tensor): boolean => op.name === 'sum' || op.name === 'mean';
