import { type Op, reachable, type Tensor } from './graph.js';
import * as t from './operations.js';
import { type Shape, ShapeError, sameShape } from './shape.js';

/**
 * Reverse-mode derivatives of a scalar with respect to some tensors, as further tensors of the same graph (Griewank
 * and Walther, "Evaluating Derivatives", 2008, chapter 3). What `loss` does not depend on has a gradient of zeros.
 * @throws ShapeError when `loss` is no scalar
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.size !== 1) throw new ShapeError('gradients', [loss.shape], 'is not a scalar');
  const order = reachable([loss]);
  const depends = new Set<Tensor>(wrt);
  for (const node of order) {
    if (node.op.name !== 'stopGradient' && node.inputs.some((i) => depends.has(i))) depends.add(node);
  }
  const total = new Map<Tensor, Tensor>([[loss, t.reshape(loss.graph.constant(1), loss.shape)]]);
  for (const node of order.reverse()) {
    const g = total.get(node);
    if (!g || !depends.has(node)) continue;
    const partials = inputGradients(node.op, node, g);
    for (const [i, input] of node.inputs.entries()) {
      const partial = partials[i];
      if (!partial || !depends.has(input)) continue;
      const so_far = total.get(input);
      total.set(input, so_far ? t.add(so_far, partial) : partial);
    }
  }
  return wrt.map((x) => t.expand(total.get(x) ?? x.graph.constant(0), x.shape));
}

/** Sums a gradient over whatever was broadcast, back to the shape of the operand. */
function sumTo(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.rank - shape.length;
  const axes = [...g.shape.keys()].filter((i) => i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1));
  return t.reshape(axes.length ? t.sum(g, { axes, keepDims: true }) : g, shape);
}

/** The gradient for each input of a node, given the gradient `g` of its value; undefined where there is none. */
function inputGradients(op: Op, y: Tensor, g: Tensor): (Tensor | undefined)[] {
  const [a, b, c] = y.inputs;
  switch (op.name) {
    case 'neg':
      return [t.neg(g)];
    case 'exp':
      return [t.mul(g, y)];
    case 'log':
      return [t.div(g, a)];
    case 'tanh':
      return [t.mul(g, t.sub(1, t.square(y)))];
    case 'sigmoid':
      return [t.mul(g, t.mul(y, t.sub(1, y)))];
    case 'softplus':
      return [t.mul(g, t.sigmoid(a))];
    case 'relu':
      return [reluGradient(g, y)];
    case 'reluGradient':
      return [reluGradient(g, b), undefined];
    case 'elu':
      // For a negative input the slope eˣ is y + 1; for a positive one min(y, 0) is 0.
      return [t.mul(g, t.add(t.min(y, 0), 1))];
    case 'sqrt':
      return [t.div(t.mul(g, 0.5), y)];
    case 'abs':
      return [t.mul(g, t.sign(a))];
    case 'reciprocal':
      return [t.neg(t.mul(g, t.square(y)))];
    case 'pow':
      return [t.mul(g, t.mul(t.pow(a, op.exponent - 1), op.exponent))];
    case 'clip':
      return [t.where(t.less(t.abs(t.sub(a, (op.min + op.max) / 2)), (op.max - op.min) / 2), g, 0)];
    case 'add':
      return [sumTo(g, a.shape), sumTo(g, b.shape)];
    case 'sub':
      return [sumTo(g, a.shape), t.neg(sumTo(g, b.shape))];
    case 'mul':
      return [sumTo(t.mul(g, b), a.shape), sumTo(t.mul(g, a), b.shape)];
    case 'div':
      return [sumTo(t.div(g, b), a.shape), t.neg(sumTo(t.mul(g, t.div(y, b)), b.shape))];
    case 'min':
      return choose(g, t.sign(t.sub(b, a)), a, b);
    case 'max':
      return choose(g, t.sign(t.sub(a, b)), a, b);
    case 'where':
      return [undefined, sumTo(t.where(a, g, 0), b.shape), sumTo(t.where(a, 0, g), c.shape)];
    case 'matmul':
      return matmulGradients(op, a, b, g);
    case 'sum':
      return [t.expand(kept(g, a, op.axes), a.shape)];
    case 'mean':
      return [t.expand(t.mul(kept(g, a, op.axes), y.size / a.size), a.shape)];
    case 'reduceMax': {
      const winners = t.toFloat(t.equal(a, kept(y, a, op.axes)));
      const share = t.div(kept(g, a, op.axes), t.sum(winners, { axes: op.axes, keepDims: true }));
      return [t.mul(winners, share)];
    }
    case 'reshape':
      return [t.reshape(g, a.shape)];
    case 'expand':
      return [sumTo(g, a.shape)];
    case 'transpose':
      return [
        t.transpose(
          g,
          a.shape.map((_, i) => op.permutation.indexOf(i)),
        ),
      ];
    case 'concat': {
      let end = 0;
      return y.inputs.map((part) => {
        end += part.shape[op.axis];
        return sliceEarly(g, op.axis, end - part.shape[op.axis], end);
      });
    }
    case 'slice':
      return [pad(g, a.shape, op.starts)];
    case 'pad':
      return [a.shape.reduce((piece, d, i) => t.slice(piece, i, op.before[i], op.before[i] + d), g)];
    case 'normalize': {
      const mean = (x: Tensor) => t.mean(x, { axes: [-1], keepDims: true });
      const centred = t.sub(t.sub(g, mean(g)), t.mul(y, mean(t.mul(g, y))));
      return [t.mul(centred, t.inverseDeviation(a, op.epsilon))];
    }
    case 'inverseDeviation':
      // d(1/σ)/dx = −x̂ / (n σ²)
      return [t.mul(t.normalize(a, op.epsilon), t.mul(t.mul(g, t.square(y)), -1 / a.shape[a.rank - 1]))];
    case 'softmax':
      return [t.mul(y, t.sub(g, t.sum(t.mul(g, y), { axes: [-1], keepDims: true })))];
    case 'logSoftmax':
      return [t.sub(g, t.mul(t.exp(y), t.sum(g, { axes: [-1], keepDims: true })))];
    case 'sumOfProducts':
    case 'sumOfSquares':
      throw new Error(`${op.name} is made after gradients are taken`);
    case 'sign':
    case 'less':
    case 'greater':
    case 'equal':
    case 'toFloat':
    case 'stopGradient':
    case 'input':
    case 'state':
    case 'constant':
      return [];
  }
}

const reluGradient = (g: Tensor, y: Tensor) =>
  y.graph.node({ name: 'reluGradient' }, [t.expand(g, y.shape), y], y.shape);

/** The gradient of min or max: 1 for the one chosen, by the sign of its lead, and ½ for each of two equals. */
function choose(g: Tensor, lead: Tensor, a: Tensor, b: Tensor): Tensor[] {
  const half = t.mul(g, 0.5);
  const difference = t.mul(half, lead);
  return [sumTo(t.add(half, difference), a.shape), sumTo(t.sub(half, difference), b.shape)];
}

/** A reduced tensor with its reduced axes put back as 1. */
const kept = (x: Tensor, of: Tensor, axes: readonly number[]) =>
  t.reshape(
    x,
    of.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );

function matmulGradients(
  op: { transposeA: boolean; transposeB: boolean },
  a: Tensor,
  b: Tensor,
  g: Tensor,
): Tensor[] {
  const { transposeA, transposeB } = op;
  const ga = transposeA
    ? t.matmul(b, g, { transposeA: transposeB, transposeB: true })
    : t.matmul(g, b, { transposeB: !transposeB });
  const gb = transposeB
    ? t.matmul(g, a, { transposeA: true, transposeB: transposeA })
    : t.matmul(a, g, { transposeA: !transposeA });
  return [sumTo(ga, a.shape), sumTo(gb, b.shape)];
}

const pad = (g: Tensor, shape: Shape, before: readonly number[]) =>
  g.graph.node({ name: 'pad', before }, [g], shape);

/**
 * A slice taken before sums and products rather than after: where only some parts of a concatenation need their
 * gradient (the actions that a critic is given, not the observations), only those columns are computed.
 */
function sliceEarly(x: Tensor, axis: number, start: number, end: number): Tensor {
  const { op, inputs } = x;
  if (op.name === 'add' && inputs.every((i) => sameShape(i.shape, x.shape))) {
    return t.add(sliceEarly(inputs[0], axis, start, end), sliceEarly(inputs[1], axis, start, end));
  }
  if (op.name === 'matmul' && x.rank === 2 && axis === 1) {
    const [a, b] = inputs;
    return t.matmul(a, t.slice(b, op.transposeB ? 0 : 1, start, end), op);
  }
  return t.slice(x, axis, start, end);
}
