import type { Graph } from './graph.js';
import { OnnxEngine } from './onnx/engine.js';
import { ReferenceEngine } from './reference.js';

export interface CompileOptions {
  /** Threads that one run may use; 1 when left out. */
  threads?: number;
  /**
   * Let waiting threads spin: a little faster alone, but they take the processor from whoever else works here.
   * Off when left out.
   */
  spin?: boolean;
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
  /** A copy of a state's values. */
  getState(id: string): Float32Array;
  setState(id: string, values: Float32Array): void;
  dispose(): Promise<void>;
}

/** Something that runs graphs. Adding one takes this interface and a name in `engines`. */
export interface Engine {
  compile(graph: Graph, options: CompileOptions): Promise<Program>;
}

const engines = {
  /** ONNX Runtime on the processor, single precision. */
  onnx: () => new OnnxEngine(),
  /** Plain TypeScript in double precision: slow, for checking the others. */
  reference: () => new ReferenceEngine(),
} satisfies Record<string, () => Engine>;

export type EngineName = keyof typeof engines;

export function compile(
  graph: Graph,
  options: CompileOptions & { engine?: EngineName } = {},
): Promise<Program> {
  return engines[options.engine ?? 'onnx']().compile(graph, options);
}
