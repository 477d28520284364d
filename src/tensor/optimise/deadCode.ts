import type { Tensor } from '../graph.js';
import { concat, slice } from '../operations.js';
import type { Rule } from './rewrite.js';

/**
 * What nobody reads is not computed: parts that are joined only for one of them to be cut out again, and zeros that
 * are put around a gradient only to be added to. Gradients of slices are of that kind.
 */
export const deadCode: Rule = (inputs, t) => {
  const { op } = t;
  if (op.name === 'slice' && inputs[0].op.name === 'concat') return partOf(inputs[0], op, t);
  if (op.name === 'add') return joined(inputs, t);
  return undefined;
};

/** A slice that lies within one part of a concatenation is a slice of that part. */
function partOf(whole: Tensor, op: { starts: readonly number[]; ends: readonly number[] }, t: Tensor) {
  const { axis } = whole.op as { axis: number };
  if (t.shape.some((d, i) => i !== axis && d !== whole.shape[i])) return undefined;
  let start = 0;
  for (const part of whole.inputs) {
    const end = start + part.shape[axis];
    if (op.starts[axis] >= start && op.ends[axis] <= end)
      return slice(part, axis, op.starts[axis] - start, op.ends[axis] - start);
    start = end;
  }
  return undefined;
}

/** Two pads whose contents lie behind one another and fill the whole: their sum is a concatenation. */
function joined(inputs: readonly Tensor[], t: Tensor): Tensor | undefined {
  const [a, b] = [...inputs].sort((x, y) => offset(x) - offset(y));
  if (a.op.name !== 'pad' || b.op.name !== 'pad') return undefined;
  const [first, second] = [a.inputs[0], b.inputs[0]];
  const axis = t.shape.findIndex((d, i) => first.shape[i] !== d);
  if (axis < 0) return undefined;
  const fills = t.shape.every((d, i) =>
    i === axis ? first.shape[i] + second.shape[i] === d : first.shape[i] === d && second.shape[i] === d,
  );
  if (!fills || offset(a) !== 0 || b.op.before[axis] !== first.shape[axis]) return undefined;
  return concat([first, second], axis);
}

const offset = ({ op }: Tensor): number => (op.name === 'pad' ? op.before.reduce((s, n) => s + n, 0) : 0);
