import { checkedInput, type Engine, type EngineFinding, type Program } from './engine.js';
import type { Graph } from './graph.js';
import { referenceValues } from './referenceValues.js';
import { ShapeError } from './shape.js';

/**
 * Runs graphs in double precision, one operation at a time, in plain TypeScript. It shares no code with the fast
 * engines below the graph, so that it can check them; speed was no aim.
 */
export class ReferenceEngine implements Engine {
  readonly title = 'reference';

  async find(): Promise<EngineFinding> {
    return { available: true, found: 'plain TypeScript in double precision' };
  }

  async compile(graph: Graph): Promise<Program> {
    return new ReferenceProgram(graph);
  }
}

class ReferenceProgram implements Program {
  private readonly states = new Map<string, Float64Array>();

  constructor(private readonly graph: Graph) {
    for (const [id, { size }] of graph.states) this.states.set(id, new Float64Array(size));
  }

  async run(
    id: string,
    inputs: Readonly<Record<string, Float32Array>>,
  ): Promise<Record<string, Float32Array>> {
    const step = this.graph.steps.get(id);
    if (!step)
      throw new Error(`the graph has no step "${id}"; it has ${[...this.graph.steps.keys()].join(', ')}`);
    const names = Object.keys(step.outputs);
    const wanted = [...step.updates.values(), ...Object.values(step.outputs)];
    const values = referenceValues(wanted, (t, leaf) =>
      t.op.name === 'state' ? this.state(leaf) : Float64Array.from(checkedInput(t, inputs)),
    );
    [...step.updates.keys()].forEach((state, i) => {
      this.states.set((state.op as { id: string }).id, values[i]);
    });
    const outputs = values.slice(step.updates.size);
    return Object.fromEntries(names.map((name, i) => [name, Float32Array.from(outputs[i])]));
  }

  getState(id: string): Float32Array {
    return Float32Array.from(this.state(id));
  }

  setState(id: string, values: Float32Array): void {
    const { length } = this.state(id);
    if (values.length !== length) {
      throw new ShapeError(`state "${id}"`, [[length]], `does not hold ${values.length} values`);
    }
    this.states.set(id, Float64Array.from(values));
  }

  async dispose(): Promise<void> {}

  private state(id: string): Float64Array {
    const values = this.states.get(id);
    if (!values)
      throw new Error(`the graph has no state "${id}"; it has ${[...this.states.keys()].join(', ')}`);
    return values;
  }
}
