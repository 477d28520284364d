import { floatWord, rowFunctions } from '../../kernels/vocabulary.js';
import type { Op, Tensor } from '../graph.js';
import { sizeOf } from '../shape.js';
import type { Instruction } from './schedule.js';
import { access, collapse, reshaped, sharedAxis, type View } from './view.js';

/** Sum, mean or maximum along axes. */
export function reduction(t: Tensor, from: View, to: View): Instruction {
  const op = t.op as Op & { name: 'sum' | 'mean' | 'reduceMax' };
  const all = [...from.shape.keys()];
  const keptAxes = all.filter((i) => !op.axes.includes(i));
  const pick = (values: readonly number[], axes: readonly number[]) => axes.map((i) => values[i]);
  const keptShape = pick(from.shape, keptAxes);
  const flatTo = op.keepDims ? { ...to, shape: keptShape, strides: pick(to.strides, keptAxes) } : to;
  const kept = collapse(keptShape, [pick(from.strides, keptAxes), flatTo.strides]);
  const reduced = collapse(pick(from.shape, op.axes), [pick(from.strides, op.axes)]);
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
  const perRow: View = {
    ...from,
    shape: [...keptShape, ...pick(from.shape, op.axes)],
    strides: [...pick(from.strides, keptAxes), ...pick(from.strides, op.axes)],
  };
  const single = rows === 1;
  return {
    name: 'reduce',
    accesses: [
      single ? { ...access(from, false, undefined), rows: 1 } : access(perRow, false, axis),
      access(flatTo, true, axis),
    ],
    scratch: 0,
    words: (at) => [
      rows,
      op.name === 'reduceMax' ? 1 : 0,
      floatWord(op.name === 'mean' ? t.size / t.inputs[0].size : 1),
      at(from.region, from.offset),
      at(to.region, to.offset),
      ...front(kept.shape, 1),
      ...front(kept.strides[0], 0),
      ...front(kept.strides[1], 0),
      ...front(pick(reduced.shape, order), 1),
      ...front(pick(reduced.strides[0], order), 0),
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
