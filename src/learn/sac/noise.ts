import type { Random } from '../../base/random.js';
import type { Graph } from '../../tensor/index.js';
import { DropoutMask } from '../nn/index.js';

/** The random inputs of each step of a learner's graph: normal noise for the actor, masks for dropout. */
export class Noise {
  private readonly normal = new Map<string, Float32Array>();
  private readonly masks = new Map<string, DropoutMask>();
  private readonly needs: ReadonlyMap<string, readonly string[]>;

  /** @param memory where a program reads an input from, if it says so: what is drawn there is not copied */
  constructor(graph: Graph, dropout: number, memory?: (id: string) => Float32Array | undefined) {
    for (const [id, { size }] of graph.inputs) {
      const values = () => memory?.(id) ?? new Float32Array(size);
      if (id === 'noise' || id === 'nextNoise') this.normal.set(id, values());
      if (id.startsWith('dropout.')) this.masks.set(id, new DropoutMask(values(), dropout));
    }
    this.needs = new Map(
      [...graph.steps.keys()].map((step) => [
        step,
        graph.inputsOf(step).map((t) => (t.op as { id: string }).id),
      ]),
    );
  }

  /** Draws what a step needs, in a fixed order; the arrays are the same at every call. */
  draw(step: string, random: Random): Record<string, Float32Array> {
    const drawn: Record<string, Float32Array> = {};
    for (const id of this.needs.get(step) ?? []) {
      const normal = this.normal.get(id);
      const mask = this.masks.get(id);
      if (normal) random.fillNormal(normal);
      mask?.draw(random);
      const values = normal ?? mask?.values;
      if (values) drawn[id] = values;
    }
    return drawn;
  }
}
