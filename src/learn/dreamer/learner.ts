import { UserError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import { type Compiled, compile, type EngineChoice, type EngineName, Graph } from '../../tensor/index.js';
import { checkedTensor } from '../checkpoint.js';
import { dreamerGraph, dreamerMetrics } from './dreamer.js';
import { pixelsOf } from './images.js';
import type { DreamerNetworks, WorldContract } from './networks.js';
import type { DreamerConfig } from './presets.js';
import { ReturnRange } from './returnRange.js';

/** A batch of sequences, time first: [length, batch, ..], row-major. */
export interface DreamerBatch {
  /** What was seen, a picture behind the rest of it; and what was done and got before. */
  observation: Float32Array;
  action: Float32Array;
  reward: Float32Array;
  /** 1 where an episode starts. */
  first: Float32Array;
  /** 1 where the task ended; a time-out is no end. */
  terminal: Float32Array;
  /** 1 where the action was shown by somebody. Looked at where `bc_weight` is not 0. */
  demonstrated?: Float32Array;
  /** The model's state before each sequence, [batch, ..]; ignored where it starts with an episode. */
  h: Float32Array;
  z: Float32Array;
}

/** The model's states along a batch, [length, batch, ..]: to be kept with the replay. Overwritten by the next update. */
export interface DreamerStates {
  readonly h: Float32Array;
  readonly z: Float32Array;
}

export interface DreamerOptions {
  world: WorldContract;
  config: DreamerConfig;
  seed: number;
  /** What runs the updates; `auto` when left out. */
  engine?: EngineChoice;
  onNote?: (line: string) => void;
  threads?: number;
}

const figures = [...dreamerMetrics, 'return_range'] as const;
export type DreamerMetrics = Record<(typeof figures)[number], number>;

/** Everything that a resumed learner needs to go on bit for bit. */
export interface DreamerCheckpoint {
  tensors: Record<string, Float32Array>;
  updates: number;
  random: number[];
}

/** Dreamer as something to feed sequences to. */
export class DreamerLearner {
  private updateCount = 0;
  private readonly latest = Object.fromEntries(figures.map((name) => [name, Number.NaN])) as DreamerMetrics;
  private readonly range: ReturnRange;
  private readonly noise: [id: string, values: Float32Array, kind: 'uniform' | 'normal'][];

  private constructor(
    readonly options: DreamerOptions,
    readonly networks: DreamerNetworks,
    private readonly program: Compiled,
    private readonly graph: Graph,
    private readonly random: Random,
  ) {
    const { kind } = networks.model.latent.noise;
    const actionKind = options.world.discrete ? 'uniform' : 'normal';
    const kinds = { latentNoise: kind, dreamLatentNoise: kind, dreamActionNoise: actionKind } as const;
    this.noise = Object.entries(kinds).map(([id, of]) => [
      id,
      new Float32Array(graph.inputs.get(id)!.size),
      of,
    ]);
    this.range = new ReturnRange(options.config.return_rate);
  }

  static async create(options: DreamerOptions): Promise<DreamerLearner> {
    const { world, config, seed, engine, onNote, threads } = options;
    const graph = new Graph();
    const { networks } = dreamerGraph(graph, world, config);
    const program = await compile(graph, { engine, onNote, threads });
    const theta = networks.layout.initialise(Random.stream(seed, 'dreamer', 'networks'));
    program.setState('theta', theta);
    // The slow critic starts as the critic itself.
    const { offset } = networks.layout.entries.find(
      ({ name }) => name === networks.slowLayout.entries[0].name,
    )!;
    program.setState('slow', theta.slice(offset, offset + networks.slowLayout.size));
    if (graph.states.has('average')) program.setState('average', theta.slice(0, networks.policyLayout.size));
    return new DreamerLearner(options, networks, program, graph, Random.stream(seed, 'dreamer', 'noise'));
  }

  /** What runs the updates: `auto` has become a name. */
  get engine(): EngineName {
    return this.program.engine;
  }

  /** Updates made so far. */
  get updates(): number {
    return this.updateCount;
  }

  /**
   * One update of world model, actor and critic.
   * @throws UserError where a part of the batch is of another size than the learner's
   * @throws Error when the losses are no longer finite: the weights are lost, what was saved before is not
   */
  async step(batch: DreamerBatch): Promise<DreamerStates> {
    this.check(batch);
    const drawn = this.draw(this.random);
    const scale = Float32Array.of(this.range.scale);
    const { metrics, returns, h, z } = await this.program.run('update', { ...batch, ...drawn, scale });
    this.updateCount++;
    for (const [i, value] of metrics.entries()) this.latest[dreamerMetrics[i]] = value;
    if (!metrics.every(Number.isFinite)) {
      throw new Error(
        `Dreamer diverged at update ${this.updateCount} (${[...metrics].map((v, i) => `${dreamerMetrics[i]} ${v}`).join(', ')}): ` +
          'a batch with a value that is not finite, or a learning rate too high',
      );
    }
    this.range.follow(returns);
    this.latest.return_range = this.range.scale;
    return { h, z };
  }

  /**
   * The model's states along a batch, of which nothing is learned.
   * @param random draws the latents
   */
  async follow(batch: DreamerBatch, random: Random): Promise<DreamerStates> {
    this.check(batch);
    const { latentNoise } = this.draw(random);
    const { h, z } = await this.program.run('follow', { ...seen(batch), latentNoise });
    return { h, z };
  }

  /**
   * What the model expects of the second half of each sequence once it has seen the first.
   * @param random draws the latents of the first half
   */
  async predict(
    batch: DreamerBatch,
    random: Random,
  ): Promise<Record<'observation' | 'reward', Float32Array>> {
    this.check(batch);
    const { latentNoise } = this.draw(random);
    const predicted = await this.program.run('predict', { ...seen(batch), latentNoise });
    return { observation: predicted.observation, reward: predicted.reward };
  }

  private draw(random: Random): Record<string, Float32Array> {
    for (const [, values, kind] of this.noise) {
      if (kind === 'uniform') random.fillUniform(values, 0, 1);
      else random.fillNormal(values);
    }
    return Object.fromEntries(this.noise.map(([id, values]) => [id, values]));
  }

  private check(batch: DreamerBatch): void {
    const given = batch as unknown as Record<string, Float32Array | undefined>;
    const asked = [
      'observation',
      'action',
      'reward',
      'first',
      'terminal',
      'h',
      'z',
      ...(this.graph.inputs.has('demonstrated') ? ['demonstrated'] : []),
    ];
    for (const id of asked) {
      const { shape, size } = this.graph.inputs.get(id)!;
      const length = given[id]?.length;
      if (length === size) continue;
      const { image } = this.options.world;
      const picture =
        id === 'observation' && image
          ? `; the last ${pixelsOf(image)} of each are a picture of ${image.height}×${image.width}×${image.channels}`
          : '';
      throw new UserError(
        `the batch has ${length ?? 'no'} values of "${id}", expected ${size}: [${shape.join(', ')}], time first${picture}`,
      );
    }
  }

  /** What the newest update measured. */
  metrics(): DreamerMetrics {
    return { ...this.latest };
  }

  /** A copy of all weights, in the order of `networks.layout`. */
  parameters(): Float32Array {
    return this.program.getState('theta');
  }

  /** A copy of the weights that the policy acts with, in the order of `networks.policyLayout`. */
  policyParameters(): Float32Array {
    if (this.graph.states.has('average')) return this.program.getState('average');
    return this.parameters().slice(0, this.networks.policyLayout.size);
  }

  save(): DreamerCheckpoint {
    const ids = [...this.graph.states.keys()];
    const states = ids.map((id) => [id, this.program.getState(id)] as const);
    const returnRange = Float32Array.from(this.range.state);
    const metrics = Float32Array.from(figures, (name) => this.latest[name]);
    return {
      tensors: { ...Object.fromEntries(states), returnRange, metrics },
      updates: this.updateCount,
      random: this.random.state,
    };
  }

  /** Goes on where a checkpoint was saved. @throws UserError when it is of a learner of other sizes */
  load(checkpoint: DreamerCheckpoint): void {
    const tensors = [...this.graph.states].map(
      ([id, { shape }]) => [id, checkedTensor(checkpoint.tensors, id, shape)] as const,
    );
    const metrics = checkedTensor(checkpoint.tensors, 'metrics', [figures.length]);
    this.range.state = [...checkedTensor(checkpoint.tensors, 'returnRange', [2])];
    for (const [i, name] of figures.entries()) this.latest[name] = metrics[i];
    for (const [id, values] of tensors) this.program.setState(id, values);
    this.updateCount = checkpoint.updates;
    this.random.state = checkpoint.random;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}

/** What of a batch the model's states follow from. */
const seen = ({ observation, action, first, h, z }: DreamerBatch): Record<string, Float32Array> => ({
  ...{ observation, action, first, h, z },
});
