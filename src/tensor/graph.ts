import { formatShape, type Shape, ShapeError, sizeOf } from './shape.js';

export type UnaryName =
  | 'neg'
  | 'exp'
  | 'log'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'relu'
  | 'elu'
  | 'sqrt'
  | 'abs'
  | 'sign'
  | 'reciprocal';
export type BinaryName = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max';
export type CompareName = 'less' | 'greater' | 'equal';
export type ReduceName = 'sum' | 'mean' | 'reduceMax';

/**
 * What an engine must be able to do. Elementwise operations broadcast by NumPy's rule; everything is float32 except
 * what comparisons give, which is bool and feeds `where` and `toFloat`.
 */
export type Op =
  | { name: 'input'; id: string }
  | { name: 'state'; id: string }
  | { name: 'constant'; values: readonly number[] }
  | { name: UnaryName | BinaryName | CompareName | 'where' | 'toFloat' }
  | { name: 'pow'; exponent: number }
  | { name: 'clip'; min: number; max: number }
  /** g where y > 0, else 0: the gradient of relu from its output. */
  | { name: 'reluGradient' }
  /** Identity that gradients do not cross. */
  | { name: 'stopGradient' }
  /** Over the last two axes; leading axes broadcast. */
  | { name: 'matmul'; transposeA: boolean; transposeB: boolean }
  | { name: ReduceName; axes: readonly number[]; keepDims: boolean }
  /** scale Σ x y, and scale Σ (x − c)² with c the same along the axes: made by the native engine for itself alone. */
  | { name: 'sumOfProducts' | 'sumOfSquares'; axes: readonly number[]; keepDims: boolean; scale: number }
  | { name: 'reshape' }
  | { name: 'expand' }
  | { name: 'transpose'; permutation: readonly number[] }
  | { name: 'concat'; axis: number }
  | { name: 'slice'; starts: readonly number[]; ends: readonly number[] }
  /** Zeros around: `before[i]` of them in front along axis i, the rest behind. */
  | { name: 'pad'; before: readonly number[] }
  /** Over the last axis: (x − mean) / √(variance + ε), and the factor 1 / √(variance + ε) with last axis 1. */
  | { name: 'normalize' | 'inverseDeviation'; epsilon: number }
  /** Over the last axis. */
  | { name: 'softmax' | 'logSoftmax' };

export type DType = 'float32' | 'bool';

/** A value of a graph: not numbers, but what will compute them. Made by the functions of operations.ts. */
export class Tensor {
  constructor(
    readonly graph: Graph,
    /** Counts up within a graph: a tensor's inputs have smaller numbers. */
    readonly id: number,
    readonly op: Op,
    readonly inputs: readonly Tensor[],
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  toString(): string {
    return `${this.op.name}${formatShape(this.shape)}`;
  }
}

/** One way to run a graph: which states get new values, and what is handed out. */
export interface Step {
  readonly updates: ReadonlyMap<Tensor, Tensor>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/**
 * A static computation over named inputs (given at every run) and states (which live in the engine between runs).
 * Everything is stated once, with fixed shapes; `compile` turns the steps into something that runs.
 */
export class Graph {
  readonly inputs = new Map<string, Tensor>();
  readonly states = new Map<string, Tensor>();
  readonly steps = new Map<string, Step>();
  private readonly known = new Map<string, Tensor>();
  private count = 0;

  /** A value fed at every run. */
  input(id: string, shape: Shape): Tensor {
    return this.leaf(this.inputs, { name: 'input', id }, shape);
  }

  /** A value kept by the engine from run to run; zeros until it is set. */
  state(id: string, shape: Shape): Tensor {
    return this.leaf(this.states, { name: 'state', id }, shape);
  }

  constant(value: number): Tensor;
  constant(values: readonly number[], shape: Shape): Tensor;
  constant(value: number | readonly number[], shape: Shape = []): Tensor {
    const values = typeof value === 'number' ? [value] : value;
    if (values.length !== sizeOf(shape)) {
      throw new ShapeError('constant', [shape], `does not hold ${values.length} values`);
    }
    return this.node({ name: 'constant', values }, [], shape);
  }

  /**
   * States a way to run the graph. Several steps share the states: one may update the critics alone, another the
   * critics and the actor.
   * @param updates pairs of a state and its new value, all taking effect together after the step
   */
  step(
    id: string,
    updates: Iterable<readonly [state: Tensor, value: Tensor]>,
    outputs: Record<string, Tensor>,
  ): void {
    if (this.steps.has(id)) throw new Error(`the graph has a step "${id}" already`);
    const map = new Map<Tensor, Tensor>();
    for (const [state, value] of updates) {
      if (state.op.name !== 'state') throw new Error(`step "${id}" updates ${state}, which is not a state`);
      if (map.has(state)) throw new Error(`step "${id}" updates state "${state.op.id}" twice`);
      if (formatShape(state.shape) !== formatShape(value.shape)) {
        throw new ShapeError(`new value of state "${state.op.id}"`, [value.shape, state.shape], 'differ');
      }
      map.set(state, value);
    }
    this.steps.set(id, { updates: map, outputs });
  }

  /** The inputs that a step reads. */
  inputsOf(id: string): Tensor[] {
    const step = this.steps.get(id);
    if (!step) throw new Error(`the graph has no step "${id}"; it has ${[...this.steps.keys()].join(', ')}`);
    const needed = reachable([...step.updates.values(), ...Object.values(step.outputs)]);
    return needed.filter((t) => t.op.name === 'input');
  }

  /** The tensor of this operation on these inputs; the same tensor whenever both are the same. */
  node(op: Op, inputs: readonly Tensor[], shape: Shape, dtype: DType = 'float32'): Tensor {
    for (const input of inputs) {
      if (input.graph !== this) throw new Error(`${op.name}: ${input} belongs to another graph`);
    }
    const key = `${JSON.stringify(op, infinities)} ${inputs.map((t) => t.id)} ${shape}`;
    const known = this.known.get(key);
    if (known) return known;
    const tensor = new Tensor(this, this.count++, op, inputs, shape, dtype);
    this.known.set(key, tensor);
    return tensor;
  }

  private leaf(leaves: Map<string, Tensor>, op: Op & { id: string }, shape: Shape): Tensor {
    const known = leaves.get(op.id);
    if (known) throw new Error(`${op.name} "${op.id}" ${formatShape(known.shape)} is in the graph already`);
    if (!shape.every((d) => Number.isInteger(d) && d > 0)) {
      throw new ShapeError(`${op.name} "${op.id}"`, [shape], 'is not a shape');
    }
    const tensor = this.node(op, [], shape);
    leaves.set(op.id, tensor);
    return tensor;
  }
}

/** JSON has neither infinities nor NaN and would write all of them as null. */
const infinities = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/**
 * Everything that the given tensors need, each after its inputs; the inputs of those in `known` are not needed.
 * What is not in here is dead code.
 */
export function reachable(roots: Iterable<Tensor>, known?: ReadonlyMap<Tensor, unknown>): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [...roots];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    if (!known?.has(t)) stack.push(...t.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
