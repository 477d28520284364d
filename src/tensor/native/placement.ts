import type { Step, Tensor } from '../graph.js';
import { sameShape, sizeOf } from '../shape.js';
import { type Fusion, type Group, isElementwise, isLeaf, isRowProduct, isView, sourceOf } from './fuse.js';
import { isVectorProduct } from './products.js';
import { asRows, isReduction } from './reductions.js';
import { type Region, reshaped, sharedAxis, sliced, type View, wholeView } from './view.js';

/** Where results go that have a place beforehand, and what has to be copied. */
export interface Placement {
  readonly places: ReadonlyMap<Tensor, View>;
  /** Groups that must run before another, because that one overwrites a state which they read. */
  readonly precedes: readonly (readonly [Group, Group])[];
  /** Old values of states that a step's end needs, saved before anything is overwritten. */
  readonly before: readonly { readonly from: Tensor; readonly to: View }[];
  readonly after: readonly { readonly from?: Tensor; readonly view?: View; readonly to: View }[];
}

/** Where a step begins and ends. */
export interface Ends {
  /** Where inputs, states and constants lie. */
  readonly leaf: (t: Tensor) => View;
  /** Where the outputs go, by name. */
  readonly output: (name: string) => View;
}

/**
 * Decides where results go, so that little is copied: new values of states straight over the old ones where nothing
 * reads those any more, outputs to their place, parts of a concatenation into it.
 */
export function place(step: Step, order: readonly Tensor[], fusion: Fusion, options: Ends): Placement {
  const places = new Map<Tensor, View>();
  const precedes: [Group, Group][] = [];
  const before: { from: Tensor; to: View }[] = [];
  const after: { from?: Tensor; view?: View; to: View }[] = [];
  const roots = [...step.updates.values(), ...Object.values(step.outputs)];

  /** Lets what computes `t` write to `target`, where it can. */
  const settle = (t: Tensor, target: View): boolean => {
    const source = behindReshapes(t);
    if (isLeaf(source.op) || isView(source.op) || places.has(source)) return false;
    const view = reshaped(target, source.shape);
    if (!view || !canWrite(source, view)) return false;
    places.set(source, view);
    return true;
  };

  for (const [state, value] of step.updates) {
    const target = options.leaf(state);
    const others = roots.filter((r) => r !== value);
    const stillAsked = others.some((r) => sourceOf(r) === state);
    const waits = stillAsked ? undefined : readersBefore(state, value, order, fusion, precedes);
    if (waits && settle(value, target)) {
      precedes.push(...waits);
    } else if (sourceOf(value).op.name === 'state') {
      const saved = temporary(value);
      before.push({ from: value, to: saved });
      after.push({ view: saved, to: target });
    } else {
      after.push({ from: value, to: target });
    }
  }
  for (const [name, t] of Object.entries(step.outputs)) {
    const target = options.output(name);
    if (settle(t, target)) continue;
    if (sourceOf(t).op.name === 'state') before.push({ from: t, to: target });
    else after.push({ from: t, to: target });
  }
  for (const t of order.toReversed()) {
    if (t.op.name !== 'concat') continue;
    const { axis } = t.op;
    const whole = places.get(t) ?? temporary(t);
    places.set(t, whole);
    let end = 0;
    for (const part of t.inputs) {
      const starts = t.shape.map((_, i) => (i === axis ? end : 0));
      end += part.shape[axis];
      settle(part, sliced(whole, starts, part.shape));
    }
  }
  return { places, precedes, before, after };
}

function temporary(t: Tensor): View {
  const region: Region = { size: sizeOf(t.shape), temporary: true, offset: 0 };
  return wholeView(region, t.shape);
}

/** Can the kernels write a tensor's result into this view? */
function canWrite(t: Tensor, view: View): boolean {
  const { op } = t;
  if (isElementwise(op) || isReduction(op) || ['concat', 'pad'].includes(op.name)) return true;
  if (op.name === 'matmul' && isRowProduct(t) && isVectorProduct(t)) return true;
  return asRows(view) !== undefined;
}

const behindReshapes = (t: Tensor): Tensor =>
  ['reshape', 'stopGradient', 'toFloat'].includes(t.op.name) ? behindReshapes(t.inputs[0]) : t;

/**
 * Who has to run before what computes `value` may overwrite `state`.
 * @returns undefined where that cannot be: somebody who needs the new value reads the old one too
 */
function readersBefore(
  state: Tensor,
  value: Tensor,
  order: readonly Tensor[],
  { groupOf }: Fusion,
  precedes: readonly (readonly [Group, Group])[],
): [Group, Group][] | undefined {
  const source = behindReshapes(value);
  const writer = groupOf.get(source);
  if (!writer) return undefined;
  const readers = new Set<Group>();
  for (const t of order) {
    if (isView(t.op)) continue;
    for (const input of t.inputs) {
      if (sourceOf(input) !== state) continue;
      const reader = groupOf.get(t)!;
      // Inside the chain itself each element must be read where it is written.
      const alike = behindReshapes(input) === state && isElementwise(t.op) && sharesAlike(input, t, source);
      if (reader === writer && !alike) return undefined;
      if (reader !== writer) readers.add(reader);
    }
  }
  const pairs = [...readers].map((reader): [Group, Group] => [reader, writer]);
  const precedesAlso = [...precedes, ...pairs];
  return [...readers].some((reader) =>
    leads(
      writer,
      reader,
      precedesAlso.filter(([, w]) => w !== writer),
    ),
  )
    ? undefined
    : pairs;
}

const sharesAlike = (input: Tensor, reader: Tensor, source: Tensor): boolean =>
  sameShape(input.shape, reader.shape) &&
  reader.size === source.size &&
  sharedAxis(reader.shape) === sharedAxis(source.shape);

function leads(from: Group, to: Group, extra: readonly (readonly [Group, Group])[]): boolean {
  const seen = new Set<Group>();
  const stack = [from];
  for (let group = stack.pop(); group; group = stack.pop()) {
    if (group === to) return true;
    if (seen.has(group)) continue;
    seen.add(group);
    stack.push(...group.users);
    for (const [a, b] of extra) if (a === group) stack.push(b);
  }
  return false;
}

/** Groups so that each comes after those whose results it needs or whose old values it must not overwrite. */
export function inSequence({ groups }: Fusion, { precedes }: Placement): Group[] {
  const waitsFor = new Map<Group, number>(groups.map((g) => [g, 0]));
  const follow = new Map<Group, Group[]>(groups.map((g) => [g, [...g.users]]));
  for (const [a, b] of precedes) follow.get(a)!.push(b);
  for (const followers of follow.values()) {
    for (const g of followers) waitsFor.set(g, waitsFor.get(g)! + 1);
  }
  const ready = groups.filter((g) => waitsFor.get(g) === 0);
  const sequence: Group[] = [];
  while (ready.length > 0) {
    // What was stated first runs first, as far as it may.
    let next = 0;
    for (let i = 1; i < ready.length; i++) if (ready[i].first < ready[next].first) next = i;
    const [group] = ready.splice(next, 1);
    sequence.push(group);
    for (const g of follow.get(group)!) {
      const left = waitsFor.get(g)! - 1;
      waitsFor.set(g, left);
      if (left === 0) ready.push(g);
    }
  }
  if (sequence.length < groups.length) throw new Error("groups wait for one another: an engine's mistake");
  return sequence;
}
