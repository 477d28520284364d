import type { Graph, Tensor } from './graph.js';
import type { PassName } from './optimise/index.js';
import { formatShape, ShapeError } from './shape.js';

export interface CompileOptions {
  /** Threads that one run may use; 1 when left out. */
  threads?: number;
  /**
   * How long a waiting thread spins before it sleeps, in microseconds; 0 when left out. A learner's operations are so
   * short that waking takes as long as they do: alone on two cores, 100 makes a SAC step a sixth faster. Where others
   * want the cores, simulations say, 20 already makes it a tenth slower.
   */
  spin_us?: number;
  /** Passes of the optimiser to leave out, or all of them. */
  unoptimised?: readonly PassName[] | 'all';
}

/** A compiled graph with its states. Runs follow one another: wait for one before starting the next. */
export interface Program {
  /**
   * Runs a step: computes its outputs from the inputs and the states, then puts the new states in place.
   * @param inputs row-major values of the inputs that the step reads, by name; others are ignored
   * @returns the outputs by name; they are overwritten by the next run of the same step
   */
  run(
    step: string,
    inputs: Readonly<Record<string, Float32Array>>,
  ): Promise<Readonly<Record<string, Float32Array>>>;
  /** Memory that the program reads an input from, where it has such: what is fed from there is not copied. */
  inputMemory?(id: string): Float32Array | undefined;
  /** A copy of a state's values. */
  getState(id: string): Float32Array;
  setState(id: string, values: Float32Array): void;
  dispose(): Promise<void>;
}

/** Whether an engine can run on this machine. */
export interface EngineFinding {
  readonly available: boolean;
  /** What is there, or why it cannot run: a line, and where need be a second one on what would be better. */
  readonly found: string;
  /** What would install it, or something better of its kind. */
  readonly help?: string;
}

/** An operation that an engine does not have in this form. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** Something that runs graphs. Adding one takes this interface and a line in `engines`. */
export interface Engine {
  /** For people. */
  readonly title: string;
  /** Looks for what it needs on this machine, trying rather than guessing. */
  find(): Promise<EngineFinding>;
  /** Called where `find` says that it is available. @throws UnsupportedError for a graph that it cannot run */
  compile(graph: Graph, options: CompileOptions): Promise<Program>;
}

/** The values fed for an input. @throws Error naming the input where they are missing or too few */
export function checkedInput(input: Tensor, inputs: Readonly<Record<string, Float32Array>>): Float32Array {
  const { id } = input.op as { id: string };
  const values = inputs[id];
  if (!values) throw new Error(`input "${id}" ${formatShape(input.shape)} was not given`);
  if (values.length !== input.size) {
    throw new ShapeError(`input "${id}"`, [input.shape], `does not hold ${values.length} values`);
  }
  return values;
}
