import type { Tiling } from '../../kernels/vocabulary.js';
import type { Op, Tensor } from '../graph.js';
import { type Shape, sizeOf } from '../shape.js';
import type { Chain } from './chain.js';
import type { Instruction } from './schedule.js';
import { access, broadcast, type Region, sharedAxis, type View } from './view.js';

/** A result that only the chain behind the product reads. */
const NOWHERE = -1;

/** Packed weights above this many floats are gone over by several tiles of rows at a time. */
const CACHED = 131072;

/** A matrix: element (row, column) at offset + row · rowStep + column · columnStep. */
interface Matrix {
  readonly view: View;
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

function matrixOf(view: View, transposed: boolean): Matrix {
  const [rows, columns] = view.shape.slice(-2);
  const [rowStep, columnStep] = view.strides.slice(-2);
  return transposed
    ? { view, rows: columns, columns: rows, rowStep: columnStep, columnStep: rowStep }
    : { view, rows, columns, rowStep, columnStep };
}

/** Packs the right operand of a product into panels of columns. */
export function packInstruction(b: View, transposed: boolean, to: Region): Instruction {
  const m = matrixOf(b, transposed);
  const all: View = { region: to, offset: 0, shape: [to.size], strides: [1] };
  return {
    name: 'pack',
    accesses: [access(b, false, undefined), access(all, true, undefined)],
    scratch: 0,
    words: (at) => [at(b.region, b.offset), m.columnStep, m.rowStep, m.rows, m.columns, at(to)],
  };
}

export const packedSize = (rows: number, columns: number, tiling: Tiling): number =>
  rows * Math.ceil(columns / tiling.columns) * tiling.columns;

export interface RowProductOptions {
  readonly product: Tensor;
  readonly left: View;
  /** Right operand, packed where it is a matrix of several columns beside several rows. */
  readonly right: View;
  readonly panels: Region | undefined;
  /** Undefined where only the chain reads the result. */
  readonly to: View | undefined;
  readonly chain: Chain | undefined;
  readonly tiling: Tiling;
}

/** Is one side a vector? Then packing would cost more than the product. */
export function isVectorProduct({ shape, rank }: Tensor): boolean {
  return rank === 2 && (shape[0] === 1 || shape[1] === 1);
}

/** A product with two-dimensional weights on the right, rows of the left operand shared among threads. */
export function rowProduct(options: RowProductOptions): Instruction {
  if (isVectorProduct(options.product)) return vectorProduct(options);
  const { product, left, panels, to, chain, tiling } = options;
  const { shape } = product;
  const columns = shape[shape.length - 1];
  const height = sizeOf(shape) / columns;
  const axis = sharedAxis(shape.slice(0, -1));
  const rows = height === 1 ? 1 : shape[axis];
  const { transposeA } = product.op as Op & { name: 'matmul' };
  const a = matrixOf(left.shape.length > 2 ? flatRows(left) : left, transposeA);
  const c = to && (to.shape.length > 2 ? flatRows(to) : to);
  const blocks = a.columns * columns > CACHED ? 4 : 1;
  const tile = blocks * tiling.rows;
  const packed = panels!;
  return {
    name: 'product',
    accesses: [
      access(
        transposeA
          ? { ...left, shape: [left.shape[1], left.shape[0]], strides: [left.strides[1], left.strides[0]] }
          : left,
        false,
        axis,
      ),
      access({ region: packed, offset: 0, shape: [packed.size], strides: [1] }, false, undefined),
      ...(to ? [access(to, true, axis)] : []),
      ...(chain?.accesses ?? []),
    ],
    scratch: tile * tiling.depth + (to ? 0 : tile * columns) + (chain?.scratch ?? 0),
    words: (at) => {
      const behind = chain?.words(at) ?? [];
      return [
        ...[rows, height / rows, height, columns, a.columns],
        ...[at(left.region, left.offset), a.rowStep, a.columnStep],
        at(packed),
        ...[c ? at(c.region, c.offset) : NOWHERE, c ? c.strides[0] : 0, blocks, behind.length],
        ...behind,
      ];
    },
  };
}

function flatRows(view: View): View {
  const { shape, strides } = view;
  const last = shape.length - 1;
  // The caller has made sure that the leading axes lie in one row of rows.
  const axis = shape.findLastIndex((d, i) => i < last && d > 1);
  return {
    ...view,
    shape: [sizeOf(shape) / shape[last], shape[last]],
    strides: [axis < 0 ? 0 : strides[axis], strides[last]],
  };
}

function vectorProduct({ product, left, right, to, chain }: RowProductOptions): Instruction {
  const { transposeA, transposeB } = product.op as Op & { name: 'matmul' };
  const a = matrixOf(left, transposeA);
  const b = matrixOf(right, transposeB);
  const one = product.shape[0] === 1;
  // y[i] = Σₖ m(i, k) x[k]: rows of A with the column of B, or columns of B with the row of A.
  const m = one
    ? { view: right, along: b.columnStep, depth: b.rowStep }
    : { view: left, along: a.rowStep, depth: a.columnStep };
  const x = one ? { view: left, step: a.columnStep } : { view: right, step: b.rowStep };
  const length = one ? b.columns : a.rows;
  const axis = sharedAxis(product.shape);
  const rows = product.shape[axis];
  const combine = m.depth !== 1 && m.along === 1;
  const result: View | undefined = to && { ...to, shape: [length], strides: [to.strides[one ? 1 : 0]] };
  const matrix: View = { ...m.view, shape: [length, a.columns], strides: [m.along, m.depth] };
  return {
    name: combine ? 'combine' : 'dot',
    accesses: [
      access(matrix, false, combine ? undefined : 0),
      access(x.view, false, undefined),
      ...(result ? [access(result, true, 0)] : []),
      ...(chain?.accesses ?? []),
    ],
    scratch: (to ? 0 : length) + (chain?.scratch ?? 0),
    words: (at) => {
      const behind = chain?.words(at) ?? [];
      return [
        ...[rows, length, a.columns],
        ...[at(m.view.region, m.view.offset), combine ? m.depth : m.along, combine ? m.along : m.depth],
        ...[at(x.view.region, x.view.offset), x.step],
        ...[
          result ? at(result.region, result.offset) : NOWHERE,
          result ? result.strides[0] : 1,
          behind.length,
        ],
        ...behind,
      ];
    },
  };
}

/** Any product: the right operand is packed by the thread that needs it; columns, rows or batches are shared. */
export function localProducts(
  product: Tensor,
  left: View,
  right: View,
  to: View,
  options: { tiling: Tiling; threads: number },
): Instruction[] {
  const { tiling, threads } = options;
  const { transposeA, transposeB } = product.op as Op & { name: 'matmul' };
  const batch = product.shape.slice(0, -2);
  const widen = (view: View) => broadcast(view, [...batch, ...view.shape.slice(-2)]);
  const [fullLeft, fullRight] = [widen(left), widen(right)];
  // One instruction takes the last batch axis; further ones are taken apart.
  const outer = batch.slice(0, -1);
  return positions(outer).map((at) => {
    const [l, r, c] = [fullLeft, fullRight, to].map((view) => inner(view, at));
    return localProduct([matrixOf(l, transposeA), matrixOf(r, transposeB), matrixOf(c, false)], {
      tiling,
      threads,
      first: outer.length === 0,
    });
  });
}

function localProduct(
  [a, b, c]: Matrix[],
  { tiling, threads, first }: { tiling: Tiling; threads: number; first: boolean },
): Instruction {
  const batches = c.view.shape.length > 2 ? c.view.shape[0] : 1;
  const step = ({ view }: Matrix) => (view.shape.length > 2 ? view.strides[0] : 0);
  const panels = Math.ceil(c.columns / tiling.columns);
  const split = batches > 1 ? 2 : panels >= 2 * threads || panels >= c.rows / tiling.rows ? 0 : 1;
  const share = split === 0 ? Math.ceil(panels / threads) : panels;
  // Batches that are the first axis of everything stay with their thread.
  const axis = split === 2 && first ? 0 : undefined;
  return {
    name: 'localProduct',
    accesses: [access(a.view, false, axis), access(b.view, false, axis), access(c.view, true, axis)],
    scratch: 4 * tiling.rows * tiling.depth + (share + 1) * tiling.columns * a.columns,
    words: (at) => [
      ...[batches, c.rows, c.columns, a.columns],
      ...[at(a.view.region, a.view.offset), a.rowStep, a.columnStep, step(a)],
      ...[at(b.view.region, b.view.offset), b.rowStep, b.columnStep, step(b)],
      ...[at(c.view.region, c.view.offset), c.rowStep, step(c)],
      ...[split, batches],
    ],
  };
}

function positions(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, d) => all.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i])),
    [[]],
  );
}

/** The part of a view at a position along its first axes. */
const inner = (view: View, at: readonly number[]): View => ({
  region: view.region,
  offset: view.offset + at.reduce((sum, p, i) => sum + p * view.strides[i], 0),
  shape: view.shape.slice(at.length),
  strides: view.strides.slice(at.length),
});
