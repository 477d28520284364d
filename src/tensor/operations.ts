import {
  type BinaryName,
  type CompareName,
  type Op,
  type ReduceName,
  Tensor,
  type UnaryName,
} from './graph.js';
import { broadcastShapes, resolveAxes, type Shape, ShapeError, sameShape, sizeOf } from './shape.js';

/** An operand: a number stands for a scalar constant. */
export type Operand = Tensor | number;

const unary = (name: UnaryName) => (x: Tensor) => x.graph.node({ name }, [x], x.shape);

export const neg = unary('neg');
export const exp = unary('exp');
export const log = unary('log');
export const tanh = unary('tanh');
export const sigmoid = unary('sigmoid');
/** log(1 + eˣ), without overflow. */
export const softplus = unary('softplus');
export const relu = unary('relu');
/** x where positive, else eˣ − 1. */
export const elu = unary('elu');
export const sqrt = unary('sqrt');
export const abs = unary('abs');
export const sign = unary('sign');
export const reciprocal = unary('reciprocal');
export const square = (x: Tensor): Tensor => mul(x, x);
export const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));
/** xᵏ for a constant k; x must be positive unless k is a whole number. */
export const pow = (x: Tensor, exponent: number): Tensor =>
  x.graph.node({ name: 'pow', exponent }, [x], x.shape);
export const clip = (x: Tensor, min: number, max: number): Tensor =>
  x.graph.node({ name: 'clip', min, max }, [x], x.shape);
/** The same value, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => x.graph.node({ name: 'stopGradient' }, [x], x.shape);

function operands(a: Operand, b: Operand): [Tensor, Tensor] {
  if (a instanceof Tensor) return [a, b instanceof Tensor ? b : a.graph.constant(b)];
  if (b instanceof Tensor) return [b.graph.constant(a), b];
  throw new TypeError('at least one operand must be a tensor');
}

/** The value of a scalar constant, else undefined. */
const scalarValue = (t: Tensor): number | undefined =>
  t.op.name === 'constant' && t.rank === 0 ? t.op.values[0] : undefined;

const arithmetic: Record<BinaryName, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
};

const binary = (name: BinaryName) => (left: Operand, right: Operand) => {
  let [a, b] = operands(left, right);
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) throw new ShapeError(name, [a.shape, b.shape], 'do not broadcast');
  // An expanded operand need not be expanded when the other one has the full shape anyway.
  if (a.op.name === 'expand' && sameShape(b.shape, shape)) a = a.inputs[0];
  if (b.op.name === 'expand' && sameShape(a.shape, shape)) b = b.inputs[0];
  const x = scalarValue(a);
  const y = scalarValue(b);
  if (x !== undefined && y !== undefined) return a.graph.constant(arithmetic[name](x, y));
  if (name === 'mul' && x === 1 && sameShape(b.shape, shape)) return b;
  if ((name === 'mul' || name === 'div') && y === 1 && sameShape(a.shape, shape)) return a;
  if (name === 'mul' && y === -1 && sameShape(a.shape, shape)) return neg(a);
  if (name === 'mul' && x === -1 && sameShape(b.shape, shape)) return neg(b);
  return a.graph.node({ name }, [a, b], shape);
};

export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
/** Elementwise; where both are equal the gradient goes half to each. */
export const min = binary('min');
export const max = binary('max');

const compare = (name: CompareName) => (left: Operand, right: Operand) => {
  const [a, b] = operands(left, right);
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) throw new ShapeError(name, [a.shape, b.shape], 'do not broadcast');
  return a.graph.node({ name }, [a, b], shape, 'bool');
};

export const less = compare('less');
export const greater = compare('greater');
export const equal = compare('equal');

/** 1 where true, 0 where false. */
export function toFloat(mask: Tensor): Tensor {
  expectBool('toFloat', mask);
  return mask.graph.node({ name: 'toFloat' }, [mask], mask.shape);
}

/** `a` where the mask is true, else `b`. */
export function where(mask: Tensor, left: Operand, right: Operand): Tensor {
  expectBool('where', mask);
  const a = left instanceof Tensor ? left : mask.graph.constant(left);
  const b = right instanceof Tensor ? right : mask.graph.constant(right);
  const both = broadcastShapes(a.shape, b.shape);
  const shape = both && broadcastShapes(mask.shape, both);
  if (!shape) throw new ShapeError('where', [mask.shape, a.shape, b.shape], 'do not broadcast');
  return mask.graph.node({ name: 'where' }, [mask, a, b], shape);
}

function expectBool(operation: string, mask: Tensor): void {
  if (mask.dtype !== 'bool')
    throw new TypeError(`${operation}: ${mask} is not a mask; make one with less or greater`);
}

/**
 * Product over the last two axes: [.., n, k] · [.., k, m] = [.., n, m]; leading axes broadcast.
 * A transposed operand is read with its last two axes exchanged.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  options: { transposeA?: boolean; transposeB?: boolean } = {},
): Tensor {
  const { transposeA = false, transposeB = false } = options;
  const [rowsA, colsA] = lastTwo(a.shape, transposeA);
  const [rowsB, colsB] = lastTwo(b.shape, transposeB);
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (a.rank < 2 || b.rank < 2 || colsA !== rowsB || !batch) {
    const how = [transposeA && 'first transposed', transposeB && 'second transposed']
      .filter(Boolean)
      .join(', ');
    throw new ShapeError('matmul', [a.shape, b.shape], `cannot be multiplied${how && ` (${how})`}`);
  }
  return a.graph.node({ name: 'matmul', transposeA, transposeB }, [a, b], [...batch, rowsA, colsB]);
}

const lastTwo = (shape: Shape, transposed: boolean): [number, number] => {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
};

export interface ReduceOptions {
  /** All axes when left out; negative ones count from the end. */
  axes?: readonly number[];
  /** Keep the reduced axes with length 1. */
  keepDims?: boolean;
}

const reduce =
  (name: ReduceName) =>
  (x: Tensor, options: ReduceOptions = {}): Tensor => {
    const axes = resolveAxes(name, x.shape, options.axes ?? x.shape.map((_, i) => i));
    const keepDims = options.keepDims ?? false;
    if (axes.every((axis) => x.shape[axis] === 1)) {
      const kept = x.shape.filter((_, i) => keepDims || !axes.includes(i));
      return reshape(x, kept);
    }
    const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
    return x.graph.node({ name, axes, keepDims }, [x], shape);
  };

export const sum = reduce('sum');
export const mean = reduce('mean');
/** Largest along axes; among equals the gradient is shared. */
export const reduceMax = reduce('reduceMax');

/** The same elements in another shape; one dimension may be −1, to be worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((d) => d !== -1));
  const full = shape.map((d) => (d === -1 ? x.size / known : d));
  if (sizeOf(full) !== x.size || !full.every((d) => Number.isInteger(d) && d > 0)) {
    throw new ShapeError('reshape', [x.shape, shape], 'do not hold the same number of elements');
  }
  if (sameShape(full, x.shape)) return x;
  if (x.op.name === 'reshape') return reshape(x.inputs[0], full);
  return x.graph.node({ name: 'reshape' }, [x], full);
}

/** Stretched to a shape that it broadcasts to. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const joint = broadcastShapes(x.shape, shape);
  if (!joint || !sameShape(joint, shape))
    throw new ShapeError('expand', [x.shape, shape], 'do not broadcast');
  return sameShape(shape, x.shape) ? x : x.graph.node({ name: 'expand' }, [x], shape);
}

/** Axes in another order; the last two exchanged when no order is given. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  const order = permutation ?? [...x.shape.keys()].map((i) => (i < x.rank - 2 ? i : 2 * x.rank - 3 - i));
  if (order.length !== x.rank || resolveAxes('transpose', x.shape, order).length !== x.rank) {
    throw new ShapeError('transpose', [x.shape], `has no axes ${order}`);
  }
  const shape = order.map((axis) => x.shape[axis]);
  return x.graph.node({ name: 'transpose', permutation: order }, [x], shape);
}

/** Joined along an axis; all other dimensions must agree. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts;
  if (!first) throw new TypeError('concat: nothing to join');
  const [along] = resolveAxes('concat', first.shape, [axis]);
  const fits = parts.every(
    (p) => p.rank === first.rank && p.shape.every((d, i) => i === along || d === first.shape[i]),
  );
  if (!fits)
    throw new ShapeError(
      'concat',
      parts.map((p) => p.shape),
      `differ elsewhere than along axis ${along}`,
    );
  if (parts.length === 1) return first;
  const length = parts.reduce((n, p) => n + p.shape[along], 0);
  const shape = first.shape.map((d, i) => (i === along ? length : d));
  return first.graph.node({ name: 'concat', axis: along }, parts, shape);
}

/** Elements `start` up to, not including, `end` along an axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const [along] = resolveAxes('slice', x.shape, [axis]);
  const length = x.shape[along];
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= length)) {
    throw new ShapeError('slice', [x.shape], `has no elements ${start} up to ${end} along axis ${along}`);
  }
  if (start === 0 && end === length) return x;
  const starts = x.shape.map((_, i) => (i === along ? start : 0));
  const ends = x.shape.map((d, i) => (i === along ? end : d));
  return x.graph.node(
    { name: 'slice', starts, ends },
    [x],
    x.shape.map((_, i) => ends[i] - starts[i]),
  );
}

/** Consecutive pieces of the given lengths along an axis. */
export function split(x: Tensor, axis: number, lengths: readonly number[]): Tensor[] {
  const [along] = resolveAxes('split', x.shape, [axis]);
  const total = lengths.reduce((n, d) => n + d, 0);
  if (total !== x.shape[along]) {
    throw new ShapeError('split', [x.shape], `is not ${lengths.join(' + ')} long along axis ${along}`);
  }
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return slice(x, along, end - length, end);
  });
}

const overLastAxis =
  <A extends unknown[]>(op: (...rest: A) => Op, shape: (s: Shape) => Shape = (s) => s) =>
  (x: Tensor, ...rest: A): Tensor => {
    if (x.rank === 0) throw new ShapeError(op(...rest).name, [x.shape], 'has no last axis');
    return x.graph.node(op(...rest), [x], shape(x.shape));
  };

export const softmax = overLastAxis(() => ({ name: 'softmax' }));
export const logSoftmax = overLastAxis(() => ({ name: 'logSoftmax' }));
/** (x − mean) / √(variance + ε) over the last axis, with the biased variance: layer norm before scale and shift. */
export const normalize = overLastAxis((epsilon: number = 1e-5) => ({ name: 'normalize', epsilon }));
/** 1 / √(variance + ε) over the last axis, kept with length 1. */
export const inverseDeviation = overLastAxis(
  (epsilon: number = 1e-5) => ({ name: 'inverseDeviation', epsilon }),
  (shape) => [...shape.slice(0, -1), 1],
);
