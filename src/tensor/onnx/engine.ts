import ort from 'onnxruntime-node';
import { encodeModel } from '../../onnx/bytes.js';
import type { OnnxValueInfo } from '../../onnx/model.js';
import {
  type CompileOptions,
  checkedInput,
  type Engine,
  type EngineFinding,
  type Program,
} from '../engine.js';
import { Graph, reachable, type Step, type Tensor } from '../graph.js';
import { add } from '../operations.js';
import { ShapeError } from '../shape.js';
import { CUDA_HELP, cudaLibraries, NO_CUDA } from './cuda.js';
import { lower, opset } from './lower.js';

/** Runs each step of a graph as one ONNX graph on ONNX Runtime. */
export class OnnxEngine implements Engine {
  readonly title: string;

  /** @param provider what executes the graph; states stay in the processor's memory either way */
  constructor(private readonly provider: Provider) {
    this.title = provider === 'cpu' ? 'ONNX Runtime' : 'ONNX Runtime on CUDA';
  }

  async find(): Promise<EngineFinding> {
    if (this.provider === 'cuda' && !cudaLibraries())
      return { available: false, found: NO_CUDA, help: CUDA_HELP };
    const help = this.provider === 'cuda' ? CUDA_HELP : 'npm ci';
    try {
      const graph = new Graph();
      const x = graph.input('x', [1]);
      graph.step('double', [], { y: add(x, x) });
      const program = await this.compile(graph, {});
      const { y } = await program.run('double', { x: Float32Array.of(2.5) });
      await program.dispose();
      return {
        available: y[0] === 5,
        found: `${ort.env.versions.node}${y[0] === 5 ? '' : `: 2.5 + 2.5 = ${y[0]}`}`,
        help,
      };
    } catch (error) {
      return { available: false, found: (error as Error).message.split('\n')[0], help };
    }
  }

  async compile(graph: Graph, options: CompileOptions): Promise<Program> {
    const steps = new Map<string, CompiledStep>();
    const states = new Map([...graph.states].map(([id, tensor]) => [id, new DoubleBuffer(tensor)]));
    const session = sessionOptions(this.provider, options);
    for (const [id, step] of graph.steps) steps.set(id, await compileStep(id, step, states, session));
    return new OnnxProgram(steps, states);
  }
}

type Provider = 'cpu' | 'cuda';

/**
 * A state as two buffers: one that steps read and one that a step writes its new value into. They swap roles after
 * the step, so that nothing is copied.
 */
class DoubleBuffer {
  readonly shape: readonly number[];
  current: ort.TypedTensor<'float32'>;
  next: ort.TypedTensor<'float32'>;

  constructor(tensor: Tensor) {
    this.shape = tensor.shape;
    this.current = buffer(tensor);
    this.next = buffer(tensor);
  }

  swap(): void {
    [this.current, this.next] = [this.next, this.current];
  }
}

const buffer = (tensor: Tensor) => new ort.Tensor('float32', new Float32Array(tensor.size), tensor.shape);

interface CompiledStep {
  session: ort.InferenceSession;
  inputs: Tensor[];
  /** States by the name under which the session reads or writes them. */
  reads: [name: string, state: DoubleBuffer][];
  writes: [name: string, state: DoubleBuffer][];
  outputs: Record<string, ort.TypedTensor<'float32'>>;
}

const leafName = (t: Tensor): string => {
  if (t.op.name !== 'input' && t.op.name !== 'state') throw new Error(`${t} is no leaf`);
  return `${t.op.name}:${t.op.id}`;
};

async function compileStep(
  id: string,
  step: Step,
  states: ReadonlyMap<string, DoubleBuffer>,
  session: ort.InferenceSession.SessionOptions,
): Promise<CompiledStep> {
  const updates = [...step.updates].map(([state, value]) => [`next:${leafName(state)}`, value] as const);
  const outputs = Object.entries(step.outputs).map(([name, value]) => [`output:${name}`, value] as const);
  const wanted = [...updates, ...outputs];
  const leaves = reachable(wanted.map(([, t]) => t)).filter(
    (t) => t.op.name === 'input' || t.op.name === 'state',
  );
  const info = (name: string, { shape }: Tensor): OnnxValueInfo => ({
    name,
    type: 'float32',
    shape: [...shape],
  });
  const model = encodeModel({
    irVersion: 9,
    producer: 'reverie',
    opsets: { '': opset },
    metadata: {},
    graph: {
      name: id,
      ...lower({ given: new Map(leaves.map((t) => [t, leafName(t)])), wanted }),
      inputs: leaves.map((t) => info(leafName(t), t)),
      outputs: wanted.map(([name, t]) => info(name, t)),
    },
  });
  const stateOf = (t: Tensor) => states.get((t.op as { id: string }).id)!;
  return {
    session: await ort.InferenceSession.create(model, session),
    inputs: leaves.filter((t) => t.op.name === 'input'),
    reads: leaves.filter((t) => t.op.name === 'state').map((t) => [leafName(t), stateOf(t)]),
    writes: [...step.updates.keys()].map((t) => [`next:${leafName(t)}`, stateOf(t)]),
    outputs: Object.fromEntries(outputs.map(([name, t]) => [name, buffer(t)])),
  };
}

function sessionOptions(
  provider: Provider,
  { threads = 1, spin_us = 0 }: CompileOptions,
): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: {
      session: {
        set_denormal_as_zero: '1',
        intra_op: { allow_spinning: spin_us > 0 ? '1' : '0', spin_duration_us: `${spin_us}` },
      },
    },
  };
}

class OnnxProgram implements Program {
  constructor(
    private readonly steps: ReadonlyMap<string, CompiledStep>,
    private readonly states: ReadonlyMap<string, DoubleBuffer>,
  ) {}

  async run(
    id: string,
    inputs: Readonly<Record<string, Float32Array>>,
  ): Promise<Record<string, Float32Array>> {
    const step = this.steps.get(id);
    if (!step) throw new Error(`the graph has no step "${id}"; it has ${[...this.steps.keys()].join(', ')}`);
    const feeds: Record<string, ort.Tensor> = {};
    for (const input of step.inputs)
      feeds[leafName(input)] = new ort.Tensor('float32', checkedInput(input, inputs), input.shape);
    for (const [name, state] of step.reads) feeds[name] = state.current;
    const fetches: Record<string, ort.Tensor> = { ...step.outputs };
    for (const [name, state] of step.writes) fetches[name] = state.next;
    await step.session.run(feeds, fetches);
    for (const [, state] of step.writes) state.swap();
    return Object.fromEntries(
      Object.entries(step.outputs).map(([name, tensor]) => [name.slice('output:'.length), tensor.data]),
    );
  }

  getState(id: string): Float32Array {
    return this.state(id).current.data.slice();
  }

  setState(id: string, values: Float32Array): void {
    const { current, shape } = this.state(id);
    if (values.length !== current.size) {
      throw new ShapeError(`state "${id}"`, [shape], `does not hold ${values.length} values`);
    }
    current.data.set(values);
  }

  async dispose(): Promise<void> {
    for (const { session } of this.steps.values()) await session.release();
  }

  private state(id: string): DoubleBuffer {
    const state = this.states.get(id);
    if (!state)
      throw new Error(`the graph has no state "${id}"; it has ${[...this.states.keys()].join(', ')}`);
    return state;
  }
}
