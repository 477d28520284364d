import type { Tiling } from '../../kernels/vocabulary.js';
import { UnsupportedError } from '../engine.js';
import { reachable, type Step, type Tensor } from '../graph.js';
import { type Shape, sameShape, sizeOf, stridesOf } from '../shape.js';
import { buildChain, CHAIN_AXES, type Chain, copyChain, fillChain } from './chain.js';
import { behind, fuse, type Group, isElementwise, isLeaf, isView, sourceOf } from './fuse.js';
import { type Ends, inSequence, type Placement, place } from './placement.js';
import { isVectorProduct, localProducts, packedSize, packInstruction, rowProduct } from './products.js';
import { asRows, reduction, rowsInstruction } from './reductions.js';
import type { Instruction } from './schedule.js';
import {
  broadcast,
  collapse,
  type Region,
  reshaped,
  sharedAxis,
  sliced,
  transposed,
  type View,
  wholeView,
} from './view.js';

export interface LowerOptions extends Ends {
  /** A scalar in the arena that is 0. */
  readonly zero: View;
  readonly tiling: Tiling;
  readonly threads: number;
  readonly fusing: boolean;
}

/** Writes a step as instructions, in an order in which they are right one after the other. */
export function lower(step: Step, options: LowerOptions): Instruction[] {
  return new Lowering(step, options).sequence;
}

class Lowering {
  readonly sequence: Instruction[] = [];
  private readonly views = new Map<Tensor, View>();
  private readonly panels = new Map<string, Region>();
  private readonly placement: Placement;
  /** Results that somebody outside their chain reads. */
  private readonly needed = new Set<Tensor>();

  constructor(
    step: Step,
    private readonly options: LowerOptions,
  ) {
    const roots = [...step.updates.values(), ...Object.values(step.outputs)];
    const order = reachable(roots);
    const fusion = fuse(order, options.fusing);
    this.placement = place(step, order, fusion, options);
    for (const root of roots) this.needed.add(sourceOf(root));
    for (const t of order) {
      for (const input of t.inputs) {
        const source = sourceOf(input);
        const inside = fusion.groupOf.get(t) === fusion.groupOf.get(source) && behind(input) === source;
        if (!inside) this.needed.add(source);
      }
    }
    for (const copy of this.placement.before) this.copy(this.viewOf(copy.from), copy.to);
    for (const group of inSequence(fusion, this.placement)) this.emit(group);
    for (const copy of this.placement.after) this.copy(copy.view ?? this.viewOf(copy.from!), copy.to);
  }

  /** Where a tensor's elements lie; what shows them in an order that has no strides is copied once. */
  private viewOf(t: Tensor): View {
    const known = this.views.get(t);
    if (known) return known;
    const view = this.findView(t);
    this.views.set(t, view);
    return view;
  }

  private findView(t: Tensor): View {
    const { op } = t;
    if (isLeaf(op)) return this.options.leaf(t);
    if (!isView(op)) return this.placement.places.get(t) ?? this.fresh(t.shape);
    const from = this.viewOf(t.inputs[0]);
    switch (op.name) {
      case 'slice':
        return sliced(from, op.starts, t.shape);
      case 'transpose':
        return transposed(from, op.permutation);
      case 'expand':
        return broadcast(from, t.shape);
      case 'reshape':
        return reshaped(from, t.shape) ?? reshaped(this.contiguous(from), t.shape)!;
      default:
        return from;
    }
  }

  private fresh(shape: Shape): View {
    return wholeView({ size: sizeOf(shape), temporary: true, offset: 0 }, shape);
  }

  private contiguous(view: View): View {
    const copy = this.fresh(view.shape);
    this.copy(this.walkable(view), copy);
    return copy;
  }

  /**
   * The same elements for a chain to walk through: where they lie in too many separate axes, a copy in the order in
   * which they lie, without the gaps between them. Patches of a picture that is a part of longer rows are such.
   */
  private walkable(view: View): View {
    const { shape, strides } = view;
    if (collapse(shape, [strides, stridesOf(shape)]).shape.length <= CHAIN_AXES) return view;
    const order = [...shape.keys()].sort((a, b) => strides[b] - strides[a]);
    const packed = this.fresh(order.map((axis) => shape[axis]));
    this.copy(transposed(view, order), packed);
    return transposed(
      packed,
      shape.map((_, axis) => order.indexOf(axis)),
    );
  }

  private copy(from: View, to: View): void {
    this.pushChain(copyChain(from, to, sharedAxis(to.shape)));
  }

  private pushChain(chain: Chain): void {
    this.sequence.push({ name: 'chain', ...chain });
  }

  private emit(group: Group): void {
    const { head, tensors } = group;
    const [t] = tensors;
    try {
      if (head || isElementwise(t.op)) this.emitChain(tensors, head);
      else this.emitOther(t);
    } catch (error) {
      throw new UnsupportedError(`the native engine cannot run ${t}: ${(error as Error).message}`);
    }
  }

  private emitChain(tensors: readonly Tensor[], head: Tensor | undefined): void {
    const operations = tensors.filter((t) => t !== head);
    const { shape } = tensors[0];
    const axis = head && !isVectorProduct(head) ? sharedAxis(shape.slice(0, -1)) : sharedAxis(shape);
    const results = new Map(
      operations.filter((t) => this.needed.has(t)).map((t) => [t, this.viewOf(t)] as const),
    );
    // A product's result that others need goes to its place, and the chain reads it from there.
    const kept = head && (this.needed.has(head) || operations.length === 0);
    const chain =
      operations.length > 0
        ? buildChain({
            shape,
            operations,
            product: kept ? undefined : head,
            viewOf: (t) => this.viewOf(t),
            results,
            axis,
            rows: shape[axis] ?? 1,
          })
        : undefined;
    if (!head) {
      this.pushChain(chain!);
      return;
    }
    const left = this.rowsOf(head.inputs[0]);
    const right = this.viewOf(head.inputs[1]);
    const panels = isVectorProduct(head) ? undefined : this.packed(head.inputs[1], head);
    const to = kept ? this.viewOf(head) : undefined;
    this.sequence.push(
      rowProduct({ product: head, left, right, panels, to, chain, tiling: this.options.tiling }),
    );
  }

  /** A left operand whose leading axes lie at equal distances. */
  private rowsOf(t: Tensor): View {
    const view = this.viewOf(t);
    if (t.rank === 2) return view;
    const width = t.shape[t.rank - 1];
    return reshaped(view, [t.size / width, width]) ? view : this.contiguous(view);
  }

  /** Panels of a right operand, packed once for all products that use them alike. */
  private packed(b: Tensor, product: Tensor): Region {
    const { transposeB } = product.op as { transposeB: boolean };
    const key = `${b.id} ${transposeB}`;
    const known = this.panels.get(key);
    if (known) return known;
    const [rows, columns] = transposeB ? b.shape.toReversed() : b.shape;
    const size = packedSize(rows, columns, this.options.tiling);
    const region: Region = { size, temporary: true, offset: 0 };
    this.panels.set(key, region);
    this.sequence.push(packInstruction(this.viewOf(b), transposeB, region));
    return region;
  }

  private emitOther(t: Tensor): void {
    const { op, inputs } = t;
    const to = this.viewOf(t);
    switch (op.name) {
      case 'matmul':
        this.sequence.push(
          ...localProducts(t, this.viewOf(inputs[0]), this.viewOf(inputs[1]), to, this.options),
        );
        return;
      case 'sum':
      case 'mean':
      case 'reduceMax':
      case 'sumOfProducts':
      case 'sumOfSquares': {
        const views = inputs.map((x) => broadcast(this.viewOf(x), inputs[0].shape));
        this.sequence.push(reduction(t, views, to));
        return;
      }
      case 'normalize':
      case 'inverseDeviation':
      case 'softmax':
      case 'logSoftmax': {
        const from = this.viewOf(inputs[0]);
        this.sequence.push(rowsInstruction(t, asRows(from) ? from : this.contiguous(from), to));
        return;
      }
      case 'concat': {
        let end = 0;
        for (const part of inputs) {
          const starts = t.shape.map((_, i) => (i === op.axis ? end : 0));
          end += part.shape[op.axis];
          const target = sliced(to, starts, part.shape);
          if (!isAt(this.viewOf(part), target)) this.copy(this.viewOf(part), target);
        }
        return;
      }
      case 'pad': {
        this.pushChain(fillChain(this.options.zero, to, sharedAxis(t.shape)));
        this.copy(this.viewOf(inputs[0]), sliced(to, op.before, inputs[0].shape));
        return;
      }
      default:
        throw new Error('there is no such instruction');
    }
  }
}

/** Do both views show the same elements of the same region? */
function isAt(a: View, b: View): boolean {
  return (
    a.region === b.region &&
    a.offset === b.offset &&
    sameShape(a.shape, b.shape) &&
    a.shape.every((d, i) => d === 1 || a.strides[i] === b.strides[i])
  );
}
