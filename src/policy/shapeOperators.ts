import type { Builder, NodeContext } from './operator.js';
import { broadcast, broadcastIndex, gather, isInOrder, sizeOf, stridesOf } from './shape.js';

/** Elements moved to other places. What lies in order anyway becomes a view: nothing is copied at run time. */
function moved(
  c: NodeContext,
  x: Float32Array,
  shape: readonly number[],
  index: Int32Array,
): ReturnType<Builder> {
  if (isInOrder(index)) {
    c.alias(x.subarray(index[0], index[0] + index.length), 0, shape);
    return undefined;
  }
  const out = c.output(shape);
  return () => {
    for (let i = 0; i < out.length; i++) out[i] = x[index[i]];
  };
}

const reshape: Builder = (c) => {
  const from = c.shape(0);
  const asked = c.integers(1);
  const target = asked.map((d, axis) => (d === 0 ? from[axis] : d));
  const known = sizeOf(target.filter((d) => d !== -1));
  const shape = target.map((d) => (d === -1 ? sizeOf(from) / known : d));
  if (sizeOf(shape) !== sizeOf(from))
    throw c.fail(`[${from.join(', ')}] does not have the elements of [${asked.join(', ')}]`);
  c.alias(c.vector(0), 0, shape);
  return undefined;
};

const transpose: Builder = (c) => {
  const from = c.shape(0);
  const { perm } = c.node.attributes;
  const order = perm?.type === 'ints' ? perm.value : [...from.keys()].reverse();
  const strides = stridesOf(from);
  const shape = order.map((axis) => from[axis]);
  return moved(
    c,
    c.vector(0),
    shape,
    gather(
      shape,
      order.map((axis) => strides[axis]),
    ),
  );
};

const expand: Builder = (c) => {
  const from = c.shape(0);
  const asked = c.integers(1);
  const shape = broadcast(from, asked);
  if (!shape) throw c.fail(`[${from.join(', ')}] does not broadcast to [${asked.join(', ')}]`);
  return moved(c, c.vector(0), shape, broadcastIndex(shape, from));
};

const slice: Builder = (c) => {
  const from = c.shape(0);
  const [starts, ends] = [c.integers(1), c.integers(2)];
  const axes = c.constant(3) ? c.integers(3) : [...starts.keys()];
  const steps = c.constant(4) ? c.integers(4) : starts.map(() => 1);
  if (axes.length !== 1 || steps[0] !== 1) throw c.fail('it cuts more than one axis, or in steps');
  const axis = axes[0] < 0 ? axes[0] + from.length : axes[0];
  if (axis === 0 && from.length > 1) throw c.fail('it cuts along the batch');
  const within = (i: number) => Math.min(from[axis], i < 0 ? from[axis] + i : i);
  const [start, end] = [within(starts[0]), within(ends[0])];
  const shape = from.map((d, i) => (i === axis ? end - start : d));
  const strides = stridesOf(from);
  return moved(c, c.vector(0), shape, gather(shape, strides, start * strides[axis]));
};

const concat: Builder = (c) => {
  const shapes = c.node.inputs.map((_, i) => c.shape(i));
  const [first] = shapes;
  const given = c.integer('axis', 1);
  const axis = given < 0 ? given + first.length : given;
  if (axis === 0) throw c.fail('it joins along the batch');
  const fits = shapes.every(
    (s) => s.length === first.length && s.every((d, i) => i === axis || d === first[i]),
  );
  if (!fits) throw c.fail(`${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')} cannot be joined`);
  const shape = first.map((d, i) => (i === axis ? shapes.reduce((n, s) => n + s[axis], 0) : d));
  const out = c.output(shape);
  const strides = stridesOf(shape);
  let at = 0;
  const parts = shapes.map((s, i) => {
    const index = gather(s, strides, at * strides[axis]);
    at += s[axis];
    const x = c.isConstant(i) ? c.floats(i) : c.vector(i);
    return { x, index, inOrder: isInOrder(index) };
  });
  return () => {
    for (let p = 0; p < parts.length; p++) {
      const { x, index, inOrder } = parts[p];
      if (inOrder) out.set(x, index[0]);
      else for (let i = 0; i < x.length; i++) out[index[i]] = x[i];
    }
  };
};

/** Along the last axis, or the last ones. */
const reduce =
  (
    start: number,
    step: (sum: number, x: number) => number,
    end: (sum: number, n: number) => number,
  ): Builder =>
  (c) => {
    const from = c.shape(0);
    const given = c.constant(1) ? c.integers(1) : [];
    const axes = given.map((axis) => (axis < 0 ? axis + from.length : axis)).sort((a, b) => a - b);
    const [first] = axes;
    if (axes.length === 0 || axes.some((axis, i) => axis !== first + i) || axes.at(-1) !== from.length - 1)
      throw c.fail(`it reduces axes [${given.join(', ')}] of ${from.length}, expected the last ones`);
    const x = c.vector(0);
    const n = sizeOf(from.slice(first));
    const kept = c.integer('keepdims', 1) !== 0 ? axes.map(() => 1) : [];
    const out = c.output([...from.slice(0, first), ...kept]);
    return () => {
      for (let row = 0; row < out.length; row++) {
        let sum = start;
        for (let i = row * n; i < (row + 1) * n; i++) sum = step(sum, x[i]);
        out[row] = end(sum, n);
      }
    };
  };

/** Over the last axis. */
const softmax =
  (logarithm: boolean): Builder =>
  (c) => {
    const shape = c.shape(0);
    const axis = c.integer('axis', -1);
    if (axis !== -1 && axis !== shape.length - 1) throw c.fail(`axis ${axis} is not the last`);
    const x = c.vector(0);
    const n = shape[shape.length - 1];
    const out = c.output(shape);
    return () => {
      for (let from = 0; from < x.length; from += n) {
        let largest = Number.NEGATIVE_INFINITY;
        for (let i = from; i < from + n; i++) largest = Math.max(largest, x[i]);
        let sum = 0;
        for (let i = from; i < from + n; i++) sum += Math.exp(x[i] - largest);
        for (let i = from; i < from + n; i++)
          out[i] = logarithm ? x[i] - largest - Math.log(sum) : Math.exp(x[i] - largest) / sum;
      }
    };
  };

const add = (a: number, b: number) => a + b;

/** Operators that move elements about, or sum them up. */
export const shapeOperators: Readonly<Record<string, Builder>> = {
  Reshape: reshape,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Slice: slice,
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  ReduceSum: reduce(0, add, (sum) => sum),
  ReduceMean: reduce(0, add, (sum, n) => sum / n),
  ReduceMax: reduce(Number.NEGATIVE_INFINITY, Math.max, (largest) => largest),
};
