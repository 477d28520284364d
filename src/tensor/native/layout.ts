import { instructions, type Tiling } from '../../kernels/vocabulary.js';
import { type Graph, reachable, type Step, type Tensor } from '../graph.js';
import { aligned, placeTemporaries } from './arena.js';
import { lower } from './lower.js';
import { type Instruction, type Placing, schedule } from './schedule.js';
import { sumsOfProducts } from './sums.js';
import { type Region, type View, wholeView } from './view.js';

export interface LayoutOptions {
  readonly tiling: Tiling;
  readonly threads: number;
  /** Elementwise operations in chains, and products with what follows them. */
  readonly fusing?: boolean;
  /** Temporary results share memory. */
  readonly reuse?: boolean;
}

/** A step as words for the kernels. */
export interface StepWords {
  readonly words: Int32Array;
  readonly outputs: Readonly<Record<string, View>>;
  readonly inputs: readonly Tensor[];
  /** Points where threads wait for one another. */
  readonly barriers: number;
  readonly instructions: number;
  /** Floating-point operations of its products. */
  readonly flops: number;
}

/** Everything that the kernels need to run a graph. */
export interface Layout {
  /** What is run: the graph with sums of products joined. Leaves are its own. */
  readonly graph: Graph;
  readonly steps: ReadonlyMap<string, StepWords>;
  readonly leaves: ReadonlyMap<Tensor, View>;
  readonly constants: readonly Tensor[];
  /** Floats of the arena, and of each thread's scratch memory. */
  readonly size: number;
  readonly scratch: number;
}

/** Plans the arena of a graph and writes its steps as programs. */
export function layOut(stated: Graph, options: LayoutOptions): Layout {
  const { tiling, threads, fusing = true, reuse = true } = options;
  const graph = fusing ? sumsOfProducts(stated) : stated;
  const leaves = new Map<Tensor, View>();
  let end = 0;
  const lasting = (shape: readonly number[]): View => {
    const view = wholeView({ size: shape.reduce((n, d) => n * d, 1), temporary: false, offset: end }, shape);
    end += aligned(view.region.size);
    return view;
  };
  const zero = lasting([]);
  const every = reachable([...graph.steps.values()].flatMap(rootsOf));
  const constants = every.filter((t) => t.op.name === 'constant');
  for (const t of [...graph.states.values(), ...graph.inputs.values(), ...constants]) {
    leaves.set(t, lasting(t.shape));
  }
  const planned = [...graph.steps].map(([id, step]) => {
    const outputs = Object.fromEntries(
      Object.entries(step.outputs).map(([name, t]) => [name, lasting(t.shape)]),
    );
    const sequence = lower(step, {
      leaf: (t) => leaves.get(t)!,
      output: (name) => outputs[name],
      zero,
      tiling,
      threads,
      fusing,
    });
    return { id, step, outputs, phases: schedule(sequence), inputs: graph.inputsOf(id) };
  });
  let temporary = 0;
  let scratch = 0;
  const steps = new Map<string, StepWords>();
  for (const { id, step, outputs, phases, inputs } of planned) {
    temporary = Math.max(temporary, placeTemporaries(phases, end, reuse));
    for (const { scratch: needed } of phases.flat()) scratch = Math.max(scratch, needed);
    const words = encode(phases);
    const count = phases.reduce((n, phase) => n + phase.length, 0);
    steps.set(id, {
      words,
      outputs,
      inputs,
      barriers: phases.length - 1,
      instructions: count,
      flops: productFlops(step),
    });
  }
  return { graph, steps, leaves, constants, size: end + temporary, scratch: aligned(scratch) };
}

const rootsOf = (step: Step): Tensor[] => [...step.updates.values(), ...Object.values(step.outputs)];

/** Multiplications and additions of the products that a step needs. */
export function productFlops(step: Step): number {
  return reachable(rootsOf(step)).reduce((sum, { op, inputs, size }) => {
    if (op.name !== 'matmul') return sum;
    const [a] = inputs;
    return sum + 2 * size * a.shape[a.rank - (op.transposeA ? 2 : 1)];
  }, 0);
}

const at: Placing = (region: Region, offset = 0) => region.offset + offset;

function encode(phases: readonly (readonly Instruction[])[]): Int32Array {
  const words: number[] = [];
  const push = (name: string, operands: readonly number[] = []) => {
    words.push(instructions.indexOf(name), operands.length + 2, ...operands);
  };
  for (const [i, phase] of phases.entries()) {
    if (i > 0) push('barrier');
    for (const instruction of phase) push(instruction.name, instruction.words(at));
  }
  push('end');
  return Int32Array.from(words);
}
