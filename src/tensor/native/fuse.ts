import type { Op, Tensor } from '../graph.js';
import { sameShape } from '../shape.js';

/** What is only another look at the same elements; an engine's masks are numbers, 0 and 1, already. */
export const isView = (op: Op): boolean =>
  ['reshape', 'slice', 'transpose', 'expand', 'stopGradient', 'toFloat'].includes(op.name);

const isSame = (op: Op) => op.name === 'stopGradient' || op.name === 'toFloat';

const elementwiseNames = new Set(
  (
    'neg exp log tanh sigmoid softplus relu elu sqrt abs sign reciprocal add sub mul div min max less greater equal ' +
    'where pow clip reluGradient'
  ).split(' '),
);
export const isElementwise = (op: Op): boolean => elementwiseNames.has(op.name);

export const isLeaf = (op: Op): boolean =>
  op.name === 'input' || op.name === 'state' || op.name === 'constant';

/** What computes the elements that a tensor shows. */
export const sourceOf = (t: Tensor): Tensor => (isView(t.op) ? sourceOf(t.inputs[0]) : t);

/** The tensor itself, behind what engines take for identity. */
export const behind = (t: Tensor): Tensor => (isSame(t.op) ? behind(t.inputs[0]) : t);

/**
 * A product whose rows do not depend on other rows of the left operand, so that each thread may take rows through
 * product and chain alike: two-dimensional weights on the right.
 */
export const isRowProduct = ({ op, inputs, rank }: Tensor): boolean =>
  op.name === 'matmul' &&
  inputs[1].rank === 2 &&
  (!op.transposeA ||
    (rank === 2 && inputs[0].shape[1] === 1) ||
    (rank === 2 && inputs[1].size === inputs[0].shape[0]));

/** What becomes one instruction: a chain of elementwise operations, with or without a product before it, or another. */
export class Group {
  readonly tensors: Tensor[];
  /** Groups that need a result of this one. */
  readonly users = new Set<Group>();

  constructor(
    public head: Tensor | undefined,
    tensor: Tensor,
  ) {
    this.tensors = [tensor];
  }

  get first(): number {
    return this.tensors[0].id;
  }
}

/** The longest chain: its operands have to fit into a first-level cache. */
const LONGEST = 40;

export interface Fusion {
  readonly groups: Group[];
  readonly groupOf: ReadonlyMap<Tensor, Group>;
}

/**
 * Joins elementwise operations over the same shape into chains, and chains to the product that they follow, wherever
 * no path leads out of the group and back into it.
 * @param order what is to be computed, each tensor after its inputs
 * @param fusing off: every operation stays on its own
 */
export function fuse(order: readonly Tensor[], fusing = true): Fusion {
  const groupOf = new Map<Tensor, Group>();
  for (const t of order) {
    if (isLeaf(t.op) || isView(t.op)) continue;
    const group = new Group(isRowProduct(t) ? t : undefined, t);
    groupOf.set(t, group);
    for (const input of t.inputs) groupOf.get(sourceOf(input))?.users.add(group);
  }
  if (fusing) {
    for (const t of order) {
      if (!isElementwise(t.op)) continue;
      for (const input of t.inputs) {
        const from = behind(input);
        const joinable = (isElementwise(from.op) || isRowProduct(from)) && sameShape(from.shape, t.shape);
        if (joinable) join(groupOf.get(from)!, groupOf.get(t)!, groupOf);
      }
    }
  }
  return { groups: [...new Set(groupOf.values())], groupOf };
}

function join(a: Group, b: Group, groupOf: Map<Tensor, Group>): void {
  if (a === b || (a.head && b.head) || a.tensors.length + b.tensors.length > LONGEST) return;
  if (needsWhole(a, b) || needsWhole(b, a) || leadsRound(a, b) || leadsRound(b, a)) return;
  a.head ??= b.head;
  a.tensors.push(...b.tensors);
  a.tensors.sort((x, y) => x.id - y.id);
  for (const user of b.users) a.users.add(user);
  a.users.delete(a);
  a.users.delete(b);
  for (const t of b.tensors) groupOf.set(t, a);
  // Those that b used: no others know of it.
  for (const source of b.tensors.flatMap((t) => t.inputs.map(sourceOf))) {
    const group = groupOf.get(source);
    if (group?.users.delete(b) && group !== a) group.users.add(a);
  }
}

/** Does `b` use a result of `a` otherwise than element by element? Then that must be complete first. */
function needsWhole(a: Group, b: Group): boolean {
  return b.tensors.some((t) =>
    t.inputs.some((input) => {
      if (!a.tensors.includes(sourceOf(input))) return false;
      return !isElementwise(t.op) || behind(input) !== sourceOf(input) || !sameShape(input.shape, t.shape);
    }),
  );
}

/** Does a path lead from one group through others to the second? */
function leadsRound(from: Group, to: Group): boolean {
  const last = to.tensors[to.tensors.length - 1].id;
  const seen = new Set<Group>([from]);
  const stack = [...from.users].filter((g) => g !== to);
  for (let group = stack.pop(); group; group = stack.pop()) {
    if (group === to) return true;
    if (seen.has(group) || group.first > last) continue;
    seen.add(group);
    stack.push(...group.users);
  }
  return false;
}
