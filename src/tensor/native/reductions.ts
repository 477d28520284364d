import { floatWord, rowFunctions } from '../../kernels/vocabulary.js';
import type { Op, Tensor } from '../graph.js';
import { sizeOf } from '../shape.js';
import type { Instruction } from './schedule.js';
import { access, collapse, reshaped, sharedAxis, type View } from './view.js';

type Reduction = Op & { name: 'sum' | 'mean' | 'reduceMax' | 'sumOfProducts' | 'sumOfSquares' };

/** As in native/reduce.h. */
const terms = {
  sum: 0,
  mean: 0,
  reduceMax: 1,
  sumOfProducts: 2,
  sumOfSquares: 3,
} as const satisfies Record<Reduction['name'], number>;

export const isReduction = (op: Op): boolean => Object.hasOwn(terms, op.name);

/**
 * Sum, mean or maximum along axes.
 * @param from what is reduced, and what it is multiplied by or what is taken from it, in the same shape
 */
export function reduction(t: Tensor, from: readonly View[], to: View): Instruction {
  const op = t.op as Reduction;
  const [x, y = x] = from;
  const keptAxes = [...x.shape.keys()].filter((i) => !op.axes.includes(i));
  const pick = (values: readonly number[], axes: readonly number[]) => axes.map((i) => values[i]);
  const keptShape = pick(x.shape, keptAxes);
  const flatTo = op.keepDims ? { ...to, shape: keptShape, strides: pick(to.strides, keptAxes) } : to;
  const along = (axes: readonly number[]) => [x, y].map((view) => pick(view.strides, axes));
  const kept = collapse(keptShape, [...along(keptAxes), flatTo.strides]);
  const reduced = collapse(pick(x.shape, op.axes), along(op.axes));
  if (kept.shape.length > 3 || reduced.shape.length > 3)
    throw new Error(`${t} over ${op.axes} of ${t.inputs[0]}`);
  // The axis that is contiguous goes innermost: sums of an array do not care about the order of its axes.
  const order = [...reduced.shape.keys()].sort((i, j) => reduced.strides[0][j] - reduced.strides[0][i]);
  const front = (values: readonly number[], filler: number) => [
    ...new Array<number>(3 - values.length).fill(filler),
    ...values,
  ];
  const axis = sharedAxis(keptShape);
  const rows = sizeOf(keptShape) === 1 ? 1 : keptShape[axis];
  const perRow = (view: View): View => ({
    ...view,
    shape: [...keptShape, ...pick(view.shape, op.axes)],
    strides: [...pick(view.strides, keptAxes), ...pick(view.strides, op.axes)],
  });
  const read = (view: View) =>
    rows === 1 ? { ...access(view, false, undefined), rows: 1 } : access(perRow(view), false, axis);
  const scale = 'scale' in op ? op.scale : op.name === 'mean' ? t.size / t.inputs[0].size : 1;
  return {
    name: 'reduction',
    accesses: [...from.map(read), access(flatTo, true, axis)],
    scratch: 0,
    words: (at) => [
      ...[rows, terms[op.name], floatWord(scale), at(to.region, to.offset)],
      ...front(kept.shape, 1),
      ...front(pick(reduced.shape, order), 1),
      ...front(kept.strides[2], 0),
      ...[x, y].flatMap((view, i) => [
        at(view.region, view.offset),
        ...front(kept.strides[i], 0),
        ...front(pick(reduced.strides[i], order), 0),
      ]),
    ],
  };
}

/** A view as rows of contiguous elements at equal distances: [rows, width], or undefined where it is none. */
export function asRows(view: View): View | undefined {
  const width = view.shape[view.shape.length - 1];
  const rows = reshaped(view, [sizeOf(view.shape) / width, width]);
  return rows && (width === 1 || rows.strides[1] === 1) ? rows : undefined;
}

/** Normalisation or softmax of every row; both views must be rows. */
export function rowsInstruction(t: Tensor, from: View, to: View): Instruction {
  const { op } = t;
  const axis = sharedAxis(from.shape.slice(0, -1));
  const count = sizeOf(from.shape) / from.shape[from.shape.length - 1];
  const rows = count === 1 ? 1 : from.shape[axis];
  const [x, y] = [asRows(from)!, asRows(to)!];
  const single = rows === 1;
  const touch = (view: View, write: boolean) =>
    single ? { ...access(view, write, undefined), rows: 1 } : access(view, write, axis);
  return {
    name: 'rows',
    accesses: [touch(from, false), touch(to, true)],
    scratch: 0,
    words: (at) => [
      rows,
      rowFunctions.indexOf(op.name),
      floatWord('epsilon' in op ? op.epsilon : 0),
      ...[count, x.shape[1]],
      ...[at(x.region, x.offset), x.strides[0], at(y.region, y.offset), y.strides[0]],
    ],
  };
}
