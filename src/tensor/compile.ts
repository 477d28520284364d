import type { CompileOptions, Engine, Program } from './engine.js';
import type { Graph } from './graph.js';
import { OnnxEngine } from './onnx/engine.js';
import { ReferenceEngine } from './reference.js';

const engines = {
  /** ONNX Runtime on the processor, single precision. */
  onnx: () => new OnnxEngine(),
  /** Plain TypeScript in double precision: slow, for checking the others. */
  reference: () => new ReferenceEngine(),
} satisfies Record<string, () => Engine>;

export type EngineName = keyof typeof engines;

/** Turns the steps of a graph into something that runs. */
export function compile(
  graph: Graph,
  options: CompileOptions & { engine?: EngineName } = {},
): Promise<Program> {
  return engines[options.engine ?? 'onnx']().compile(graph, options);
}
