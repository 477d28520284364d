import type { Host, KernelsFound } from '../../kernels/addon.js';
import {
  type CompileOptions,
  checkedInput,
  type Engine,
  type EngineFinding,
  type Program,
} from '../engine.js';
import type { Graph } from '../graph.js';
import { ShapeError } from '../shape.js';
import { type Layout, type LayoutOptions, layOut } from './layout.js';
import type { View } from './view.js';

/** Steps with less arithmetic in their products are run at once: going beside the event loop would take longer. */
const BESIDE_FLOPS = 2e6;

/** Runs each step of a graph as one program of fused products and loops, in one call, over threads. */
export class KernelEngine implements Engine {
  /** @param kernels looks for those that this machine can run, best first, or says in a line why there are none */
  constructor(
    readonly title: string,
    private readonly kernels: () => KernelsFound,
    private readonly how: Pick<LayoutOptions, 'fusing' | 'reuse'> = {},
  ) {}

  async find(): Promise<EngineFinding> {
    const found = this.kernels();
    if ('missing' in found) return { available: false, found: found.missing, help: found.help };
    return { available: true, found: `${found.name} kernels` };
  }

  async compile(graph: Graph, options: CompileOptions): Promise<Program> {
    const kernels = this.kernels();
    if ('missing' in kernels) throw new Error(kernels.missing);
    const { threads = 1, spin_us = 0 } = options;
    const layout = layOut(graph, { ...this.how, tiling: kernels.tiling, threads });
    const { size, scratch } = layout;
    return new KernelProgram(layout, kernels.open({ size, scratch, threads, spin_us }));
  }
}

class KernelProgram implements Program {
  private readonly beside: ReadonlySet<string>;

  constructor(
    private readonly layout: Layout,
    private readonly host: Host,
  ) {
    for (const t of layout.constants) {
      if (t.op.name === 'constant') this.valuesAt(layout.leaves.get(t)!).set(t.op.values);
    }
    const large = [...layout.steps.keys()].filter((id) => layout.steps.get(id)!.flops > BESIDE_FLOPS);
    this.beside = new Set(large);
  }

  async run(
    id: string,
    inputs: Readonly<Record<string, Float32Array>>,
  ): Promise<Readonly<Record<string, Float32Array>>> {
    const step = this.layout.steps.get(id);
    if (!step)
      throw new Error(`the graph has no step "${id}"; it has ${[...this.layout.steps.keys()].join(', ')}`);
    for (const input of step.inputs) {
      const values = checkedInput(input, inputs);
      const own = this.valuesAt(this.layout.leaves.get(input)!);
      if (values.buffer !== own.buffer || values.byteOffset !== own.byteOffset) own.set(values);
    }
    if (this.beside.has(id)) await this.host.runBeside(step.words);
    else this.host.run(step.words);
    return Object.fromEntries(
      Object.entries(step.outputs).map(([name, view]) => [name, this.valuesAt(view)]),
    );
  }

  inputMemory(id: string): Float32Array | undefined {
    const input = this.layout.graph.inputs.get(id);
    return input && this.valuesAt(this.layout.leaves.get(input)!);
  }

  getState(id: string): Float32Array {
    return this.valuesAt(this.state(id)).slice();
  }

  setState(id: string, values: Float32Array): void {
    const view = this.state(id);
    if (values.length !== view.region.size)
      throw new ShapeError(`state "${id}"`, [view.shape], `does not hold ${values.length} values`);
    this.valuesAt(view).set(values);
  }

  async dispose(): Promise<void> {
    await this.host.close?.();
  }

  private state(id: string): View {
    const tensor = this.layout.graph.states.get(id);
    if (!tensor)
      throw new Error(
        `the graph has no state "${id}"; it has ${[...this.layout.graph.states.keys()].join(', ')}`,
      );
    return this.layout.leaves.get(tensor)!;
  }

  private valuesAt({ region }: View): Float32Array {
    return this.host.arena.subarray(region.offset, region.offset + region.size);
  }
}
