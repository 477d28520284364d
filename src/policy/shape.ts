/** Dimensions of a value; empty for a single number. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

/** Elements between neighbours along each axis, row-major. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** What two shapes broadcast to by NumPy's rule, or undefined where they do not. */
export function broadcast(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1;
  const joint = Array.from({ length: rank }, (_, i) => [at(a, i), at(b, i)]);
  if (joint.some(([x, y]) => x !== y && x !== 1 && y !== 1)) return undefined;
  return joint.map(([x, y]) => Math.max(x, y));
}

/**
 * Where each element of a result lies in its source.
 * @param strides steps in the source along each axis of the result; 0 along one that is repeated
 */
export function gather(shape: Shape, strides: readonly number[], offset = 0): Int32Array {
  const index = new Int32Array(sizeOf(shape));
  const own = stridesOf(shape);
  for (let i = 0; i < index.length; i++) {
    let at = offset;
    for (let axis = 0; axis < shape.length; axis++)
      at += (Math.floor(i / own[axis]) % shape[axis]) * strides[axis];
    index[i] = at;
  }
  return index;
}

/** Where each element of `shape` lies in a source that broadcasts to it. */
export function broadcastIndex(shape: Shape, source: Shape): Int32Array {
  const own = stridesOf(source);
  const missing = shape.length - source.length;
  return gather(
    shape,
    shape.map((_, axis) => (axis < missing || source[axis - missing] === 1 ? 0 : own[axis - missing])),
  );
}

/** Do all elements lie in order, one behind the other? Then a view is enough. */
export function isInOrder(index: Int32Array): boolean {
  return index.every((at, i) => at === index[0] + i);
}
