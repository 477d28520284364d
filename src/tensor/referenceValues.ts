import { type Op, reachable, type Tensor } from './graph.js';
import { type Shape, sameShape, sizeOf, stridesOf } from './shape.js';

type Numbers = Float64Array;

/**
 * Values of tensors in double precision.
 * @param leaf values of an input or a state
 * @param held values that tensors are taken to have, whatever their inputs
 */
export function referenceValues(
  tensors: readonly Tensor[],
  leaf: (t: Tensor, id: string) => Float64Array,
  held: ReadonlyMap<Tensor, Float64Array> = new Map(),
): Float64Array[] {
  const values = new Map<Tensor, Float64Array>(held);
  for (const t of reachable(tensors, held)) {
    if (held.has(t)) continue;
    const { op } = t;
    const inputs = t.inputs.map((i) => values.get(i)!);
    values.set(t, op.name === 'input' || op.name === 'state' ? leaf(t, op.id) : evaluate(op, t, inputs));
  }
  return tensors.map((t) => values.get(t)!);
}

const scalars: Partial<Record<Op['name'], (...args: number[]) => number>> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  sqrt: Math.sqrt,
  abs: Math.abs,
  sign: Math.sign,
  reciprocal: (x) => 1 / x,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  less: (a, b) => Number(a < b),
  greater: (a, b) => Number(a > b),
  equal: (a, b) => Number(a === b),
  where: (mask, a, b) => (mask ? a : b),
  toFloat: (mask) => mask,
  stopGradient: (x) => x,
  reluGradient: (g, y) => (y > 0 ? g : 0),
  expand: (x) => x,
};

function evaluate(op: Op, t: Tensor, inputs: Numbers[]): Numbers {
  const [x] = inputs;
  const shapes = t.inputs.map((i) => i.shape);
  const scalar = scalars[op.name];
  if (scalar) return elementwise(scalar, t.shape, inputs, shapes);
  switch (op.name) {
    case 'constant':
      return Float64Array.from(op.values);
    case 'pow':
      return x.map((v) => v ** op.exponent);
    case 'clip':
      return x.map((v) => Math.min(Math.max(v, op.min), op.max));
    case 'matmul':
      return matmul(op, t.shape, inputs, shapes);
    case 'sum':
      return reduce(x, shapes[0], op.axes, 0, (a, b) => a + b);
    case 'mean':
      return reduce(x, shapes[0], op.axes, 0, (a, b) => a + b).map((v) => (v * t.size) / x.length);
    case 'reduceMax':
      return reduce(x, shapes[0], op.axes, Number.NEGATIVE_INFINITY, Math.max);
    case 'reshape':
      return x;
    case 'transpose':
      return gather(
        t.shape,
        (at) =>
          x[
            offset(
              shapes[0],
              op.permutation.reduce((p, axis, i) => p.with(axis, at[i]), [...at]),
            )
          ],
      );
    case 'slice':
      return gather(
        t.shape,
        (at) =>
          x[
            offset(
              shapes[0],
              at.map((p, i) => p + op.starts[i]),
            )
          ],
      );
    case 'pad':
      return gather(t.shape, (at) => {
        const inside = at.map((p, i) => p - op.before[i]);
        return inside.every((p, i) => p >= 0 && p < shapes[0][i]) ? x[offset(shapes[0], inside)] : 0;
      });
    case 'concat': {
      return gather(t.shape, (at) => {
        let position = at[op.axis];
        let part = 0;
        while (position >= shapes[part][op.axis]) position -= shapes[part++][op.axis];
        return inputs[part][offset(shapes[part], at.with(op.axis, position))];
      });
    }
    case 'normalize':
      return rows(x, shapes[0], (row) => {
        const { mean, inverse } = moments(row, op.epsilon);
        return row.map((v) => (v - mean) * inverse);
      });
    case 'inverseDeviation':
      return rows(x, shapes[0], (row) => Float64Array.of(moments(row, op.epsilon).inverse));
    case 'softmax':
      return rows(x, shapes[0], (row) => logSoftmax(row).map(Math.exp));
    case 'logSoftmax':
      return rows(x, shapes[0], logSoftmax);
    default:
      throw new Error(`the reference engine has no ${op.name}`);
  }
}

/** Fills a row-major array by position. */
function gather(shape: Shape, value: (at: number[]) => number): Numbers {
  const strides = stridesOf(shape);
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
    value(shape.map((d, k) => Math.floor(i / strides[k]) % d)),
  );
}

/** Where the element at a position lies; positions of longer rank are aligned at the end, axes of length 1 repeat. */
function offset(shape: Shape, at: readonly number[]): number {
  const lead = at.length - shape.length;
  return stridesOf(shape).reduce((sum, stride, i) => sum + (shape[i] === 1 ? 0 : at[i + lead] * stride), 0);
}

function elementwise(
  f: (...args: number[]) => number,
  shape: Shape,
  inputs: Numbers[],
  shapes: Shape[],
): Numbers {
  if (shapes.every((s, k) => inputs[k].length === 1 || sameShape(s, shape))) {
    return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      f(...inputs.map((v) => v[v.length === 1 ? 0 : i])),
    );
  }
  return gather(shape, (at) => f(...inputs.map((values, i) => values[offset(shapes[i], at)])));
}

function matmul(
  op: { transposeA: boolean; transposeB: boolean },
  shape: Shape,
  [a, b]: Numbers[],
  [shapeA, shapeB]: Shape[],
): Numbers {
  const inner = shapeA[shapeA.length - (op.transposeA ? 2 : 1)];
  return gather(shape, (at) => {
    const batch = at.slice(0, -2);
    const [row, column] = at.slice(-2);
    let total = 0;
    for (let k = 0; k < inner; k++) {
      const left = offset(shapeA, [...batch, ...(op.transposeA ? [k, row] : [row, k])]);
      const right = offset(shapeB, [...batch, ...(op.transposeB ? [column, k] : [k, column])]);
      total += a[left] * b[right];
    }
    return total;
  });
}

function reduce(
  x: Numbers,
  shape: Shape,
  axes: readonly number[],
  initial: number,
  combine: (a: number, b: number) => number,
): Numbers {
  const kept = shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const out = new Float64Array(sizeOf(kept)).fill(initial);
  gather(shape, (at) => {
    const to = offset(kept, at);
    out[to] = combine(out[to], x[offset(shape, at)]);
    return 0;
  });
  return out;
}

/** Applies a function to each row along the last axis and joins what it gives. */
function rows(x: Numbers, shape: Shape, f: (row: Numbers) => Numbers): Numbers {
  const width = shape[shape.length - 1];
  const results = Array.from({ length: x.length / width }, (_, i) =>
    f(x.subarray(i * width, (i + 1) * width)),
  );
  return Float64Array.from(results.flatMap((row) => [...row]));
}

function moments(row: Numbers, epsilon: number): { mean: number; inverse: number } {
  const mean = row.reduce((s, v) => s + v, 0) / row.length;
  const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / row.length;
  return { mean, inverse: 1 / Math.sqrt(variance + epsilon) };
}

function logSoftmax(row: Numbers): Numbers {
  const top = row.reduce((a, b) => Math.max(a, b));
  const total = Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0));
  return row.map((v) => v - top - total);
}
