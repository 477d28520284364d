import { elementwise, floatWord, type SlotKind, slotKinds } from '../../kernels/vocabulary.js';
import type { Tensor } from '../graph.js';
import { type Shape, sizeOf, stridesOf } from '../shape.js';
import { behind } from './fuse.js';
import type { Placing } from './schedule.js';
import { type Access, access, broadcast, collapse, type View } from './view.js';

/** Floats of a strip: a handful of strips fit into a first-level cache. */
const STRIP = 512;
/** As in native/elementwise.h. */
const MOST_SLOTS = 128;

/** A chain of elementwise operations over one shape, as the kernels take it. */
export interface Chain {
  readonly accesses: readonly Access[];
  /** Memory for its strips, in floats. */
  readonly scratch: number;
  readonly words: (at: Placing) => readonly number[];
}

interface Slot {
  readonly kind: SlotKind;
  strip: number;
  readonly view?: View;
  readonly strides: readonly number[];
}

export interface ChainOptions {
  readonly shape: Shape;
  /** Elementwise operations, each after its inputs; a product before them is not among them. */
  readonly operations: readonly Tensor[];
  /** The product whose result the chain takes over, where nothing else needs that. */
  readonly product?: Tensor;
  /** Where an operand lies that is not computed by the chain. */
  readonly viewOf: (t: Tensor) => View;
  /** Results that are needed outside, and where they go. */
  readonly results: ReadonlyMap<Tensor, View>;
  /** The axis along which threads share the shape. */
  readonly axis: number;
  readonly rows: number;
}

/** Axes that a chain walks through, once neighbours are joined. */
export const CHAIN_AXES = 4;

/** Copies one view into another of the same shape. */
export function copyChain(from: View, to: View, axis: number): Chain {
  const builder = new Builder(to.shape, [from, to], axis, to.shape[axis] ?? 1);
  builder.operation('copy', builder.operand(0), [], builder.result(1));
  return builder.finish();
}

/** Fills a view with what a scalar holds. */
export const fillChain = (scalar: View, to: View, axis: number): Chain =>
  copyChain(broadcast(scalar, to.shape), to, axis);

export function buildChain(options: ChainOptions): Chain {
  const { shape, operations, product, viewOf, results, axis, rows } = options;
  const inside = new Set<Tensor>(product ? [...operations, product] : operations);
  const outside = [...new Set(operations.flatMap((t) => t.inputs.map(behind)).filter((t) => !inside.has(t)))];
  const needed = operations.filter((t) => results.has(t));
  const views = [...outside.map((t) => broadcast(viewOf(t), shape)), ...needed.map((t) => results.get(t)!)];
  const builder = new Builder(shape, views, axis, rows);
  const slots = new Map<Tensor, number>(outside.map((t, i) => [t, builder.operand(i)]));
  if (product) slots.set(product, builder.product());

  const absorbed = absorbedProducts(operations, results);
  const lastUse = new Map<Tensor, number>();
  for (const [i, t] of operations.entries()) {
    if (absorbed.has(t)) continue;
    for (const x of operandsOf(t, absorbed)) lastUse.set(x, i);
  }
  for (const [i, t] of operations.entries()) {
    if (absorbed.has(t)) continue;
    const operands = operandsOf(t, absorbed);
    const used = operands.map((x) => slots.get(x)!);
    const view = results.get(t);
    // A result must not go over an operand that is still to be read at the same place: a state's old value.
    const overwrites = outside.find(
      (x) => view && viewOf(x).region === view.region && (lastUse.get(x) ?? -1) > i,
    );
    const to = view
      ? builder.result(outside.length + needed.indexOf(t), overwrites !== undefined)
      : builder.temporary();
    slots.set(t, to);
    builder.operation(nameOf(t, absorbed), used[0], used.slice(1), to, numbersOf(t));
    for (const x of new Set(operands)) if (lastUse.get(x) === i) builder.release(slots.get(x)!);
  }
  return builder.finish();
}

/** Products that only one sum or difference takes: the two become one operation. */
function absorbedProducts(
  operations: readonly Tensor[],
  results: ReadonlyMap<Tensor, View>,
): ReadonlySet<Tensor> {
  const absorbed = new Set<Tensor>();
  for (const t of operations) {
    if (t.op.name !== 'add' && t.op.name !== 'sub') continue;
    const candidates = t.op.name === 'add' ? t.inputs : [t.inputs[1]];
    const taken = candidates.find((x) => {
      if (x.op.name !== 'mul' || !operations.includes(x) || results.has(x) || absorbed.has(x)) return false;
      const users = operations.filter((u) => u.inputs.some((input) => behind(input) === x));
      return users.length === 1 && t.inputs.filter((input) => input === x).length === 1;
    });
    // One product for each sum.
    if (taken && !t.inputs.some((x) => x !== taken && absorbed.has(x))) absorbed.add(taken);
  }
  return absorbed;
}

function productIn(t: Tensor, absorbed: ReadonlySet<Tensor>): Tensor | undefined {
  return t.op.name === 'add' || t.op.name === 'sub' ? t.inputs.find((x) => absorbed.has(x)) : undefined;
}

function operandsOf(t: Tensor, absorbed: ReadonlySet<Tensor>): Tensor[] {
  const product = productIn(t, absorbed);
  if (!product) return t.inputs.map(behind);
  const other = t.inputs[0] === product ? t.inputs[1] : t.inputs[0];
  return [...product.inputs, other].map(behind);
}

function nameOf(t: Tensor, absorbed: ReadonlySet<Tensor>): string {
  if (!productIn(t, absorbed)) return t.op.name;
  return t.op.name === 'add' ? 'multiplyAdd' : 'subtractProduct';
}

function numbersOf({ op }: Tensor): [number, number] {
  if (op.name === 'pow') return [op.exponent, 0];
  if (op.name === 'clip') return [op.min, op.max];
  return [0, 0];
}

class Builder {
  private readonly slots: Slot[] = [];
  private readonly operations: number[][] = [];
  private readonly accesses: Access[] = [];
  private readonly domain: number[];
  private readonly strides: number[][];
  private readonly strip: number;
  private readonly free: number[] = [];
  private strips = 0;

  constructor(
    private readonly shape: Shape,
    private readonly views: readonly View[],
    private readonly axis: number,
    private readonly rows: number,
  ) {
    const { shape: joined, strides } = collapse(
      shape,
      views.map((v) => v.strides),
    );
    if (joined.length > CHAIN_AXES)
      throw new Error(`elementwise operations over [${shape}] in ${joined.length} separate axes`);
    const lead = 4 - joined.length;
    this.domain = [...new Array<number>(lead).fill(1), ...joined];
    this.strides = strides.map((s) => [...new Array<number>(lead).fill(0), ...s]);
    const inner = this.domain[3];
    this.strip = inner <= STRIP ? Math.floor(STRIP / inner) * inner : STRIP;
  }

  /** A slot from which a view is read. */
  operand(i: number): number {
    const strides = this.strides[i];
    const scalar = strides.every((s) => s === 0);
    const row = strides.slice(0, 3).every((s) => s === 0) && this.domain[3] <= this.strip;
    const kind = scalar ? 'scalar' : this.isFlat(strides) ? 'flat' : row ? 'row' : 'loaded';
    this.touch(i, false);
    return this.add(kind, this.views[i], strides);
  }

  /** A slot whose elements end up in a view. @param late they do only after everything else */
  result(i: number, late = false): number {
    const flat = this.isFlat(this.strides[i]) && !late;
    this.touch(i, true);
    return this.add(flat ? 'flat' : 'stored', this.views[i], this.strides[i]);
  }

  temporary(): number {
    const strip = this.free.pop() ?? this.strips++;
    this.slots.push({ kind: 'temporary', strip, strides: [0, 0, 0, 0] });
    return this.slots.length - 1;
  }

  product(): number {
    return this.add('product', undefined, [0, 0, 0, 0]);
  }

  /** Nothing reads the slot any more. */
  release(slot: number): void {
    const { kind, strip } = this.slots[slot];
    if (kind === 'temporary') this.free.push(strip);
  }

  operation(
    name: string,
    a: number,
    [b = a, c = a]: readonly number[],
    to: number,
    numbers: [number, number] = [0, 0],
  ): void {
    const code = elementwise.indexOf(name);
    if (code < 0) throw new Error(`the kernels have no ${name}`);
    this.operations.push([code, to, a, b, c, ...numbers.map(floatWord)]);
  }

  finish(): Chain {
    const { slots, operations, domain, rows, strip } = this;
    if (slots.length > MOST_SLOTS) throw new Error(`a chain of ${slots.length} operands and results`);
    const head = [sizeOf(this.shape), rows, strip, ...domain.slice(1), slots.length, operations.length];
    return {
      accesses: this.accesses,
      scratch: this.strips * strip,
      words: (at) => [
        ...head,
        ...slots.flatMap(({ kind, strip: of, view, strides }) => [
          slotKinds.indexOf(kind),
          of,
          view ? at(view.region, view.offset) : 0,
          ...strides,
        ]),
        ...operations.flat(),
      ],
    };
  }

  private add(kind: SlotKind, view: View | undefined, strides: readonly number[]): number {
    const strip = kind === 'flat' || kind === 'product' ? 0 : this.strips++;
    this.slots.push({ kind, strip, view, strides });
    return this.slots.length - 1;
  }

  private touch(i: number, write: boolean): void {
    this.accesses.push(access(this.views[i], write, this.axis));
  }

  private isFlat(strides: readonly number[]): boolean {
    const contiguous = stridesOf(this.domain);
    return strides.every((s, i) => this.domain[i] === 1 || s === contiguous[i]);
  }
}
