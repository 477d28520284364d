import { type Shape, sizeOf, stridesOf } from '../shape.js';

/** A piece of the arena. Temporary ones share places; the others keep theirs from run to run. */
export interface Region {
  readonly size: number;
  readonly temporary: boolean;
  /** In floats from the start of the arena, once it is known. */
  offset: number;
}

/** A tensor where it lies: element at position p is at offset + Σ strides · p in its region. */
export interface View {
  readonly region: Region;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

export const wholeView = (region: Region, shape: Shape): View => ({
  region,
  offset: 0,
  shape,
  strides: stridesOf(shape),
});

/** The same elements in another shape, where that is possible without moving any. */
export function reshaped(view: View, shape: Shape): View | undefined {
  const old = view.shape
    .map((length, i) => ({ length, stride: view.strides[i] }))
    .filter(({ length }) => length > 1);
  const strides = new Array<number>(shape.length).fill(0);
  let from = 0;
  let to = 0;
  while (from < old.length) {
    // The shortest runs of old and new axes that hold the same elements.
    let { length } = old[from];
    let last = from + 1;
    let end = to;
    let product = 1;
    while (product !== length) {
      if (product < length) product *= shape[end++];
      else length *= old[last++].length;
    }
    for (let i = from; i + 1 < last; i++) {
      if (old[i].stride !== old[i + 1].stride * old[i + 1].length) return undefined;
    }
    let { stride } = old[last - 1];
    for (let i = end - 1; i >= to; i--) {
      strides[i] = shape[i] === 1 ? 0 : stride;
      stride *= shape[i];
    }
    from = last;
    to = end;
  }
  return { ...view, shape, strides };
}

export const sliced = (view: View, starts: readonly number[], shape: Shape): View => ({
  ...view,
  offset: view.offset + starts.reduce((sum, s, i) => sum + s * view.strides[i], 0),
  shape,
});

export const transposed = (view: View, permutation: readonly number[]): View => ({
  ...view,
  shape: permutation.map((axis) => view.shape[axis]),
  strides: permutation.map((axis) => view.strides[axis]),
});

/** Stretched to a shape that it broadcasts to: axes that repeat have stride 0. */
export function broadcast(view: View, shape: Shape): View {
  const lead = shape.length - view.shape.length;
  const strides = shape.map((_, i) => (i < lead || view.shape[i - lead] === 1 ? 0 : view.strides[i - lead]));
  return { ...view, shape, strides };
}

/** Neighbouring axes that all views walk through as one, joined; views have the same shape. */
export function collapse(
  shape: Shape,
  views: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const joined: number[] = [];
  const strides = views.map((): number[] => []);
  for (const [axis, length] of shape.entries()) {
    if (length === 1) continue;
    const fits =
      joined.length > 0 && views.every((v, i) => strides[i][joined.length - 1] === v[axis] * length);
    if (fits) joined[joined.length - 1] *= length;
    else joined.push(length);
    for (const [i, v] of views.entries()) strides[i][joined.length - 1] = v[axis];
  }
  return { shape: joined, strides };
}

/** Which elements of a region an instruction touches, and how threads share them. */
export interface Access {
  readonly region: Region;
  readonly write: boolean;
  /** First element, and one beyond the last. */
  readonly start: number;
  readonly end: number;
  /** Threads share so many rows, a row's elements lying within `span` and rows `step` apart; 0: each may touch all. */
  readonly rows: number;
  readonly step: number;
  readonly span: number;
}

/** @param axis along which threads share the rows of the view, or undefined where each may touch everything */
export function access(view: View, write: boolean, axis: number | undefined): Access {
  const { region, offset, shape, strides } = view;
  const extent = (from: number) =>
    shape.slice(from).reduce((sum, d, i) => sum + (d - 1) * Math.abs(strides[from + i]), 1);
  const common = { region, write, start: offset, end: offset + extent(0) };
  // One thread does it all: whoever has the only row.
  if (sizeOf(shape) === 1 && axis !== undefined) return { ...common, rows: 1, step: 0, span: 1 };
  if (axis === undefined || strides[axis] === 0) return { ...common, rows: 0, step: 0, span: 0 };
  return { ...common, rows: shape[axis], step: strides[axis], span: extent(axis + 1) };
}

/** The axis along which threads share a shape: the first that is longer than 1. */
export const sharedAxis = (shape: Shape): number =>
  Math.max(
    0,
    shape.findIndex((d) => d > 1),
  );

export type Conflict = 'none' | 'order' | 'barrier';

/** What has to lie between two instructions because of what they touch. */
export function conflict(a: Access, b: Access): Conflict {
  if (a.region !== b.region || !(a.write || b.write)) return 'none';
  if (a.end <= b.start || b.end <= a.start) return 'none';
  if (a.rows === 1 && b.rows === 1) return 'order';
  if (a.rows === 0 || a.rows !== b.rows || a.step !== b.step) return 'barrier';
  // Rows r of both are one thread's. Does row r of one reach into row r ± 1 of the other?
  const d = b.start - a.start;
  return d + b.span <= a.step && d >= a.span - a.step ? 'order' : 'barrier';
}
