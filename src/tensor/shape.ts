import { sourcePosition } from '../base/sourcePosition.js';

/** Row-major dimensions; [] is a scalar. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The shape that both broadcast to by NumPy's rule (aligned at the last axis, 1 stretches), or undefined. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** How far apart neighbours along each axis lie in a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/** Axes counted from the front and sorted; negative ones count from the end. @throws ShapeError */
export function resolveAxes(operation: string, shape: Shape, axes: readonly number[]): number[] {
  const resolved = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  for (const [i, axis] of resolved.entries()) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length || resolved.indexOf(axis) !== i) {
      throw new ShapeError(operation, [shape], `has no axes ${formatShape(axes)}`);
    }
  }
  return resolved.sort((a, b) => a - b);
}

/** Calls that are looked through for the learner's line: networks are built by functions that call functions. */
const CALLS = 40;

/**
 * Shapes that do not fit together. The message names the operation, the shapes and the lines outside src/tensor that
 * asked for it, the innermost of each file, so that the mistake is found without reading the engine.
 */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(operation: string, shapes: readonly Shape[], reason: string) {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = CALLS;
    super(`${operation}: ${shapes.map(formatShape).join(' and ')} ${reason}`);
    Error.stackTraceLimit = before;
    const sites = callSites(this.stack ?? '');
    if (sites.length > 0) this.message += ` (at ${sites.join(', from ')})`;
  }
}

/** This folder in stack traces, which source maps may or may not have mapped from the compiled files. */
const here = /[\\/]src[\\/]tensor[\\/]/;
const foreign = /\(?node:|[\\/]node_modules[\\/]/;
/** Files that are named: a layer, its network and the learner. */
const FILES = 3;

function callSites(stack: string): string[] {
  const sites = new Map<string, string>();
  for (const line of stack.split('\n')) {
    if (!/^\s*at /.test(line) || here.test(line) || foreign.test(line)) continue;
    const [, file, at, column] = line.match(/\(?((?:file:\/\/)?[^()\s]+):(\d+):(\d+)\)?$/) ?? [];
    if (file && !sites.has(file)) sites.set(file, sourcePosition(file, Number(at), Number(column)));
    if (sites.size === FILES) break;
  }
  return [...sites.values()];
}

/** Is what broadcasts from `shape` to `whole` the same all along these axes? */
export function isSameAlong(shape: Shape, whole: Shape, axes: readonly number[]): boolean {
  const lead = whole.length - shape.length;
  return axes.every((axis) => axis < lead || shape[axis - lead] === 1);
}
