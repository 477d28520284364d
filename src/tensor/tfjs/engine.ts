import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { checkedInput, type Engine, type EngineFinding, type Program } from '../engine.js';
import { type Graph, reachable, type Tensor } from '../graph.js';
import { ShapeError } from '../shape.js';
import { evaluator } from './evaluate.js';
import { loadTensorflow, type TF } from './load.js';

/**
 * Runs graphs on TensorFlow.js, one operation after another: libtensorflow on the processor or a GPU where its
 * packages are installed, else plain JavaScript. It shares nothing with ONNX Runtime, so that each checks the other.
 * How many threads it uses is TensorFlow's own affair (TF_NUM_INTRAOP_THREADS); the option is not heard.
 */
export class TfjsEngine implements Engine {
  readonly title = 'TensorFlow.js';

  async find(): Promise<EngineFinding> {
    const loaded = await loadTensorflow();
    return 'tf' in loaded ? loaded.finding : loaded;
  }

  async compile(graph: Graph): Promise<Program> {
    const loaded = await loadTensorflow();
    if (!('tf' in loaded)) throw new Error(loaded.found);
    return new TfjsProgram(loaded.tf, graph);
  }
}

/** What a step computes, in order, and what is read by it. */
interface CompiledStep {
  readonly order: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly states: readonly string[];
  readonly updates: readonly string[];
  readonly outputs: readonly string[];
  /** New values of `updates`, then `outputs`. */
  readonly results: readonly Tensor[];
}

const idOf = (leaf: Tensor): string => (leaf.op as { id: string }).id;

/** TensorFlow's tensors are freed by hand: what a run makes is, except the new states. */
class TfjsProgram implements Program {
  private readonly steps: ReadonlyMap<string, CompiledStep>;
  private readonly states = new Map<string, TfTensor>();
  private readonly constants = new Map<Tensor, TfTensor>();
  private readonly evaluate: ReturnType<typeof evaluator>;

  constructor(
    private readonly tf: TF,
    private readonly graph: Graph,
  ) {
    this.evaluate = evaluator(tf);
    this.steps = new Map([...graph.steps.keys()].map((id) => [id, this.compileStep(id)]));
    for (const [id, { shape }] of graph.states) this.states.set(id, tf.zeros([...shape]));
  }

  private compileStep(id: string): CompiledStep {
    const { updates, outputs } = this.graph.steps.get(id)!;
    const results = [...updates.values(), ...Object.values(outputs)];
    const order = reachable(results);
    for (const t of order) {
      if (t.op.name === 'constant' && !this.constants.has(t))
        this.constants.set(t, this.tf.tensor(Float32Array.from(t.op.values), [...t.shape]));
    }
    return {
      order: order.filter(({ op }) => op.name !== 'constant' && op.name !== 'input' && op.name !== 'state'),
      inputs: order.filter((t) => t.op.name === 'input'),
      states: order.filter((t) => t.op.name === 'state').map(idOf),
      updates: [...updates.keys()].map(idOf),
      outputs: Object.keys(outputs),
      results,
    };
  }

  async run(
    id: string,
    inputs: Readonly<Record<string, Float32Array>>,
  ): Promise<Record<string, Float32Array>> {
    const step = this.steps.get(id);
    if (!step) throw new Error(`the graph has no step "${id}"; it has ${[...this.steps.keys()].join(', ')}`);
    const results = this.tf.tidy(() => this.compute(step, inputs));
    for (const [i, state] of step.updates.entries()) {
      this.states.get(state)!.dispose();
      this.states.set(state, results[i]);
    }
    const values = results.slice(step.updates.length).map((t) => {
      const copy = t.dataSync<'float32'>().slice();
      t.dispose();
      return copy;
    });
    return Object.fromEntries(step.outputs.map((name, i) => [name, values[i]]));
  }

  /** A tensor of its own for each result: the same value may be wanted twice, or be a state already. */
  private compute(step: CompiledStep, inputs: Readonly<Record<string, Float32Array>>): TfTensor[] {
    const values = new Map<Tensor, TfTensor>(this.constants);
    // Copies, since a backend may keep the array while the caller fills it anew.
    for (const t of step.inputs)
      values.set(t, this.tf.tensor(checkedInput(t, inputs).slice(), [...t.shape], 'float32'));
    for (const id of step.states) values.set(this.graph.states.get(id)!, this.states.get(id)!);
    for (const t of step.order)
      values.set(
        t,
        this.evaluate(
          t,
          t.inputs.map((i) => values.get(i)!),
        ),
      );
    return step.results.map((t) => this.tf.clone(values.get(t)!));
  }

  getState(id: string): Float32Array {
    return this.state(id).dataSync<'float32'>().slice();
  }

  setState(id: string, values: Float32Array): void {
    const old = this.state(id);
    if (values.length !== old.size)
      throw new ShapeError(`state "${id}"`, [old.shape], `does not hold ${values.length} values`);
    this.states.set(id, this.tf.tensor(values.slice(), old.shape, 'float32'));
    old.dispose();
  }

  async dispose(): Promise<void> {
    for (const t of [...this.states.values(), ...this.constants.values()]) t.dispose();
    this.states.clear();
    this.constants.clear();
  }

  private state(id: string): TfTensor {
    const state = this.states.get(id);
    if (!state)
      throw new Error(`the graph has no state "${id}"; it has ${[...this.states.keys()].join(', ')}`);
    return state;
  }
}
