import type { Tensor } from '../graph.js';
import { expand, reshape } from '../operations.js';
import { referenceValues } from '../referenceValues.js';
import { sameShape } from '../shape.js';
import type { Rule } from './rewrite.js';

/** Larger constants are left to be computed: a graph is written down with them. */
const LARGEST = 4096;

/** What depends on constants alone becomes one, and operations that change nothing go: x + 0, x · 1, x / 1, x − 0. */
export const constantFolding: Rule = (inputs, t, graph) => {
  const { op, shape, dtype } = t;
  const [a, b] = inputs;
  const same = (x: Tensor) => (sameShape(x.shape, shape) ? x : x.size === 1 ? expand(x, shape) : undefined);
  if ((op.name === 'add' || op.name === 'sub') && isAll(b, 0)) return same(a);
  if (op.name === 'add' && isAll(a, 0)) return same(b);
  if ((op.name === 'mul' || op.name === 'div') && isAll(b, 1)) return same(a);
  if (op.name === 'mul' && isAll(a, 1)) return same(b);
  const folds = inputs.length > 0 && inputs.every((x) => x.op.name === 'constant');
  if (!folds || dtype !== 'float32' || t.size > LARGEST || op.name === 'expand') return undefined;
  if (op.name === 'reshape') return reshape(graph.constant(values(a), a.shape), shape);
  const node = graph.node(op, inputs, shape, dtype);
  return graph.constant([...referenceValues([node], noLeaf)[0]], shape);
};

const values = ({ op }: Tensor): readonly number[] => (op.name === 'constant' ? op.values : []);

const isAll = (x: Tensor | undefined, value: number): boolean =>
  x?.op.name === 'constant' && x.op.values.every((v) => v === value);

function noLeaf(): never {
  throw new Error('a constant that depends on an input');
}
