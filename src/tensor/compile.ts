import { UserError } from '../base/errors.js';
import { nativeKernels } from '../kernels/addon.js';
import { wasmKernels } from '../kernels/wasm.js';
import { type Candidate, compileOnFastest } from './choice.js';
import type { CompileOptions, Engine, EngineFinding, Program } from './engine.js';
import type { EngineChoice, EngineName } from './engineNames.js';
import type { Graph } from './graph.js';
import { KernelEngine } from './native/engine.js';
import { OnnxEngine } from './onnx/engine.js';
import { optimise } from './optimise/index.js';
import { ReferenceEngine } from './reference.js';
import { TfjsEngine } from './tfjs/engine.js';

/** What graphs can run on. What is not installed is here too, and says so when it is looked for. */
const engines: Readonly<Record<EngineName, Engine>> = {
  /** Fused kernels of our own, compiled for the processor at hand, single precision. */
  native: new KernelEngine('native kernels', nativeKernels),
  /** The same kernels as WebAssembly: nothing needs to be compiled. */
  wasm: new KernelEngine('WebAssembly kernels', wasmKernels),
  /** ONNX Runtime on the processor, single precision. */
  onnx: new OnnxEngine('cpu'),
  /** ONNX Runtime on an NVIDIA GPU, single precision. */
  cuda: new OnnxEngine('cuda'),
  /** TensorFlow.js, compiled or in plain JavaScript, single precision. */
  tfjs: new TfjsEngine(),
  /** Plain TypeScript in double precision: slow, for checking the others. */
  reference: new ReferenceEngine(),
};

/** An engine's name and what was found of it. */
export interface FoundEngine extends EngineFinding {
  readonly name: EngineName;
  readonly title: string;
}

/** Looks for an engine on this machine. */
export async function findEngine(name: EngineName): Promise<FoundEngine> {
  const engine = engines[name];
  return { name, title: engine.title, ...(await engine.find()) };
}

/** What `auto` chooses among, in the order in which they are preferred; TensorFlow.js only where there is nothing else. */
const PREFERRED: readonly EngineName[] = ['native', 'onnx', 'wasm'];

/** What `auto` can choose among here. @throws UserError where there is nothing */
async function candidatesHere(): Promise<Candidate[]> {
  const look = async (names: readonly EngineName[]): Promise<Candidate[]> => {
    const found = await Promise.all(names.map(findEngine));
    return found
      .filter(({ available }) => available)
      .map(({ name, found }) => ({ name, found, engine: engines[name] }));
  };
  let candidates = await look(PREFERRED);
  if (candidates.length === 0) candidates = await look(['tfjs']);
  if (candidates.length === 0)
    throw new UserError(
      `no engine to learn with was found: tried ${PREFERRED.join(', ')}, tfjs; reverie doctor says more`,
    );
  return candidates;
}

/** @throws UserError where the engine that is asked for is not there, saying what would install it */
export async function requireEngine(choice: EngineChoice): Promise<void> {
  if (choice === 'auto') return;
  const { available, found, help } = await findEngine(choice);
  if (!available)
    throw new UserError(`engine "${choice}" is not there: ${found}${help ? `; would help: ${help}` : ''}`);
}

/**
 * Turns the steps of a graph into something that runs.
 * @param options.engine `auto` where left out
 * @param options.onNote told in one line what `auto` chose and why
 * @throws UserError as `requireEngine` does
 */
export async function compile(
  graph: Graph,
  options: CompileOptions & { engine?: EngineChoice; onNote?: (line: string) => void } = {},
): Promise<Compiled> {
  const { engine = 'auto', onNote, unoptimised = [] } = options;
  // The engine that checks the others is given the graph as it was stated.
  const all = unoptimised === 'all' || engine === 'reference';
  const lean = all ? graph : optimise(graph, unoptimised);
  if (engine !== 'auto') {
    await requireEngine(engine);
    return compiled(engine, await engines[engine].compile(lean, options));
  }
  const { name, why, program } = await compileOnFastest(lean, await candidatesHere(), options, onNote);
  onNote?.(`engine ${name}: ${why}`);
  return compiled(name, program);
}

/** A program that knows what it runs on. */
export type Compiled = Program & { readonly engine: EngineName };

const compiled = (engine: EngineName, program: Program): Compiled => Object.assign(program, { engine });
