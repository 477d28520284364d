import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { type Manifest, observationSizeOf } from './manifest.js';
import { Network } from './network.js';
import type { Exploration, Imagination, Policy, Surprise } from './policy.js';
import { type ProductEngine, plainProducts } from './products.js';

/** What has to be known of a network to act with it. */
export interface PolicyNetwork {
  readonly manifest: Pick<Manifest, 'observation' | 'action'> & {
    readonly network: Omit<Manifest['network'], 'sha256'>;
  };
  readonly onnx: Uint8Array;
  /** Folder of the bundle, for messages. */
  readonly path: string;
}

/**
 * The network of a bundle as a policy. What a recurrent one carries from step to step is kept inside.
 * @param engine what computes its products: plain TypeScript gives the same bits everywhere, a robot takes the fastest
 * @throws UserError where the network does not do what the manifest says, or cannot be run
 */
export function loadPolicy(
  { manifest, onnx, path }: PolicyNetwork,
  engine: ProductEngine = plainProducts,
): NetworkPolicy {
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
  const previous = named.previous_action ? input(named.previous_action, actionSize, 'action') : undefined;
  const seen = named.imagination ? input(named.imagination.input, 1, 'imagination') : undefined;
  const unnamed = network.inputs.size - [observation, previous, seen, ...memory].filter(Boolean).length;
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
  const { action, mean, log_std, std } = named.outputs;
  const spread: Spread | undefined = std
    ? { std: output(std) }
    : mean && log_std
      ? { mean: output(mean), logStd: output(log_std) }
      : undefined;
  const running = { network, observation, memory, previous, seen };
  return new NetworkPolicy(running, output(action), spread, {
    longest_s: named.imagination?.longest_s,
    surprise: named.surprise && new NetworkSurprise(network, named.surprise, where),
    where,
  });
}

class NetworkSurprise implements Surprise {
  readonly values: Float32Array;
  private readonly sources: readonly Float32Array[];
  private readonly quantiles: ReadonlyMap<number, readonly number[]>;

  constructor(
    network: Network,
    { outputs, quantiles }: NonNullable<Manifest['network']['surprise']>,
    where: string,
  ) {
    this.sources = outputs.map(({ output }) => {
      const source = network.outputs.get(output);
      if (source?.length !== 1)
        throw new UserError(
          `${where}: surprise "${output}" has ${source?.length ?? 'no'} values, expected 1`,
        );
      return source;
    });
    this.values = new Float32Array(outputs.length);
    this.quantiles = new Map(quantiles.map(({ quantile, limits }) => [quantile, limits]));
  }

  limits(quantile: number): readonly number[] | undefined {
    return this.quantiles.get(quantile);
  }

  read(): void {
    for (let i = 0; i < this.sources.length; i++) this.values[i] = this.sources[i][0];
  }
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
  /** The action before, as it was executed. */
  readonly previous: Float32Array | undefined;
  /** One number: whether the observation is new. */
  readonly seen: Float32Array | undefined;
}

/** How actions are drawn: about the action itself, or squashed by tanh. */
type Spread =
  | { readonly std: Float32Array }
  | { readonly std?: undefined; readonly mean: Float32Array; readonly logStd: Float32Array };

/** Made by `loadPolicy`. */
export class NetworkPolicy implements Policy {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly imagination: Imagination | undefined;

  constructor(
    private readonly running: Running,
    private readonly best: Float32Array,
    private readonly spread: Spread | undefined,
    private readonly rest: {
      readonly longest_s: number | undefined;
      readonly surprise: NetworkSurprise | undefined;
      readonly where: string;
    },
  ) {
    const { longest_s } = rest;
    this.observationSize = running.observation.length;
    this.actionSize = best.length;
    this.imagination =
      longest_s === undefined
        ? undefined
        : { longest_s, act: (action, explore) => this.run(0, action, explore) };
  }

  act(observation: Float32Array, action: Float32Array, explore?: Exploration): void {
    if (observation.length !== this.observationSize)
      throw new RangeError(
        `observation of ${observation.length} values, the policy takes ${this.observationSize}`,
      );
    this.running.observation.set(observation);
    this.run(1, action, explore);
  }

  get surprise(): Surprise | undefined {
    return this.rest.surprise;
  }

  executed(action: ArrayLike<number>): void {
    this.running.previous?.set(action);
  }

  /** Replaces weights by name, in place; the memory stays. For networks on plain products. */
  setWeights(weights: Readonly<Record<string, Float32Array>>): void {
    this.running.network.setConstants(weights);
  }

  reset(): void {
    for (const { to } of this.running.memory) to.fill(0);
    this.running.previous?.fill(0);
  }

  private run(seen: 0 | 1, action: Float32Array, explore: Exploration | undefined): void {
    const { running } = this;
    const { network, memory } = running;
    running.seen?.fill(seen);
    network.run();
    this.rest.surprise?.read();
    // Through a third place: what comes out may be what went in for another state.
    for (let i = 0; i < memory.length; i++) memory[i].held.set(memory[i].from);
    for (let i = 0; i < memory.length; i++) memory[i].to.set(memory[i].held);
    if (explore) this.draw(action, explore);
    else action.set(this.best);
    // Until somebody knows better.
    running.previous?.set(action);
  }

  private draw(action: Float32Array, { random, scale }: Exploration): void {
    const { spread, best } = this;
    if (!spread) throw new UserError(`${this.rest.where}: has no mean and log_std to explore with`);
    for (let i = 0; i < this.actionSize; i++)
      action[i] = spread.std
        ? Math.min(1, Math.max(-1, best[i] + scale * spread.std[i] * random.normal()))
        : Math.tanh(spread.mean[i] + scale * Math.exp(spread.logStd[i]) * random.normal());
  }
}
