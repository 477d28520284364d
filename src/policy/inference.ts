import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { Bundle } from './bundle.js';
import { observationSizeOf } from './manifest.js';
import { Network } from './network.js';
import type { Exploration, Policy } from './policy.js';
import { type ProductEngine, plainProducts } from './products.js';

/**
 * The network of a bundle as a policy. What a recurrent one carries from step to step is kept inside.
 * @param engine what computes its products: plain TypeScript gives the same bits everywhere, a robot takes the fastest
 * @throws UserError where the network does not do what the manifest says, or cannot be run
 */
export function loadPolicy(
  { manifest, onnx, path }: Pick<Bundle, 'manifest' | 'onnx' | 'path'>,
  engine: ProductEngine = plainProducts,
): Policy {
  const where = join(path, manifest.network.file);
  const network = new Network(onnx, where, engine);
  const observationSize = observationSizeOf(manifest);
  const actionSize = manifest.action.scale_rad.length;
  const input = (name: string, size: number, what: string) => {
    const vector = network.inputs.get(name);
    if (!vector)
      throw new UserError(`${where}: no input "${name}"; there are ${[...network.inputs.keys()].join(', ')}`);
    if (vector.length !== size)
      throw new UserError(`${where}: takes ${vector.length} values, the manifest's ${what} has ${size}`);
    return vector;
  };
  const { network: named } = manifest;
  const observation = input(named.input, observationSize, 'observation');
  const memory = named.state.map(({ input: to, output: from, size }): Carried => {
    const source = network.outputs.get(from);
    if (source?.length !== size)
      throw new UserError(
        `${where}: state "${from}" has ${source?.length ?? 'no'} values, the manifest's ${size}`,
      );
    return { from: source, held: new Float32Array(size), to: input(to, size, `state "${to}"`) };
  });
  const unnamed = network.inputs.size - 1 - memory.length;
  if (unnamed !== 0)
    throw new UserError(
      `${where}: ${unnamed} of its inputs are not named in the manifest: ${[...network.inputs.keys()].join(', ')}`,
    );
  const output = (name: string) => {
    const vector = network.outputs.get(name);
    if (!vector)
      throw new UserError(
        `${where}: no output "${name}"; there are ${[...network.outputs.keys()].join(', ')}`,
      );
    if (vector.length !== actionSize)
      throw new UserError(
        `${where}: output "${name}" has ${vector.length} values, the manifest's action ${actionSize}`,
      );
    return vector;
  };
  const { action, mean, log_std } = manifest.network.outputs;
  const spread = mean && log_std ? { mean: output(mean), logStd: output(log_std) } : undefined;
  return new NetworkPolicy(actionSize, { network, observation, memory }, output(action), spread, where);
}

/** A state that goes from an output of one step to an input of the next. */
interface Carried {
  readonly from: Float32Array;
  readonly held: Float32Array;
  readonly to: Float32Array;
}

interface Running {
  readonly network: Network;
  readonly observation: Float32Array;
  readonly memory: readonly Carried[];
}

class NetworkPolicy implements Policy {
  readonly observationSize: number;

  constructor(
    readonly actionSize: number,
    private readonly running: Running,
    private readonly best: Float32Array,
    private readonly spread: { readonly mean: Float32Array; readonly logStd: Float32Array } | undefined,
    private readonly where: string,
  ) {
    this.observationSize = running.observation.length;
  }

  act(observation: Float32Array, action: Float32Array, explore?: Exploration): void {
    if (observation.length !== this.observationSize)
      throw new RangeError(
        `observation of ${observation.length} values, the policy takes ${this.observationSize}`,
      );
    const { network, observation: input, memory } = this.running;
    input.set(observation);
    network.run();
    // Through a third place: what comes out may be what went in for another state.
    for (let i = 0; i < memory.length; i++) memory[i].held.set(memory[i].from);
    for (let i = 0; i < memory.length; i++) memory[i].to.set(memory[i].held);
    if (!explore) {
      action.set(this.best);
      return;
    }
    if (!this.spread) throw new UserError(`${this.where}: has no mean and log_std to explore with`);
    const { mean, logStd } = this.spread;
    for (let i = 0; i < this.actionSize; i++)
      action[i] = Math.tanh(mean[i] + explore.scale * Math.exp(logStd[i]) * explore.random.normal());
  }

  reset(): void {
    for (const { to } of this.running.memory) to.fill(0);
  }
}
