import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { Bundle } from './bundle.js';
import { observationSizeOf } from './manifest.js';
import { Network } from './network.js';
import type { Exploration, Policy } from './policy.js';

/**
 * The network of a bundle as a policy.
 * @throws UserError where the network does not do what the manifest says, or cannot be run
 */
export function loadPolicy({ manifest, onnx, path }: Pick<Bundle, 'manifest' | 'onnx' | 'path'>): Policy {
  const where = join(path, manifest.network.file);
  if (manifest.network.state.length > 0)
    throw new UserError(`${where}: the manifest names recurrent states, which cannot be run yet`);
  const network = new Network(onnx, where);
  const observationSize = observationSizeOf(manifest);
  const actionSize = manifest.action.scale_rad.length;
  if (network.input.length !== observationSize)
    throw new UserError(
      `${where}: takes ${network.input.length} values, the manifest's observation has ${observationSize}`,
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
  return new NetworkPolicy(observationSize, actionSize, network, output(action), spread, where);
}

class NetworkPolicy implements Policy {
  constructor(
    readonly observationSize: number,
    readonly actionSize: number,
    private readonly network: Network,
    private readonly best: Float32Array,
    private readonly spread: { readonly mean: Float32Array; readonly logStd: Float32Array } | undefined,
    private readonly where: string,
  ) {}

  act(observation: Float32Array, action: Float32Array, explore?: Exploration): void {
    if (observation.length !== this.observationSize)
      throw new RangeError(
        `observation of ${observation.length} values, the policy takes ${this.observationSize}`,
      );
    this.network.input.set(observation);
    this.network.run();
    if (!explore) {
      action.set(this.best);
      return;
    }
    if (!this.spread) throw new UserError(`${this.where}: has no mean and log_std to explore with`);
    const { mean, logStd } = this.spread;
    for (let i = 0; i < this.actionSize; i++)
      action[i] = Math.tanh(mean[i] + explore.scale * Math.exp(logStd[i]) * explore.random.normal());
  }

  reset(): void {}
}
