import { Random } from '../../base/random.js';
import { type Compiled, compile, type EngineChoice, type EngineName, Graph } from '../../tensor/index.js';
import { checkedTensor } from '../checkpoint.js';
import { exportActor } from './export.js';
import { Noise } from './noise.js';
import type { SacConfig } from './presets.js';
import { sacGraph, sacMetrics } from './sac.js';

/** A batch of transitions, row-major; the counts are [batch, size]. */
export interface SacBatch {
  observation: Float32Array;
  action: Float32Array;
  /** [batch]: sum of n discounted rewards. */
  reward: Float32Array;
  /** [batch]: γⁿ, or 0 where the episode terminated; a time-out keeps γⁿ. */
  discount: Float32Array;
  nextObservation: Float32Array;
  /** [batch]: 1 where the action was shown by somebody, else 0. Looked at where `bc_weight` is not 0. */
  demonstrated?: Float32Array;
}

export interface SacOptions {
  /** Length of the observation and of the action. */
  observations: number;
  actions: number;
  config: SacConfig;
  seed: number;
  /** What runs the updates; `auto` when left out. */
  engine?: EngineChoice;
  /** Told in a line what `auto` chose. */
  onNote?: (line: string) => void;
  /** Threads of the engine; 1 when left out. */
  threads?: number;
  /** How long they spin before they sleep, as in CompileOptions. */
  spin_us?: number;
}

export type SacMetrics = Record<(typeof sacMetrics)[number], number>;

/** Everything that a resumed learner needs to go on bit for bit. */
export interface SacCheckpoint {
  tensors: Record<string, Float32Array>;
  updates: number;
  random: number[];
}

/** Soft Actor-Critic as something to feed batches to. */
export class SacLearner {
  private updateCount = 0;
  private readonly latest = Object.fromEntries(sacMetrics.map((name) => [name, Number.NaN])) as SacMetrics;
  private readonly noise: Noise;

  private constructor(
    readonly options: SacOptions,
    private readonly program: Compiled,
    private readonly graph: Graph,
    private readonly random: Random,
  ) {
    this.noise = new Noise(graph, options.config.dropout, (id) => program.inputMemory?.(id));
  }

  static async create(options: SacOptions): Promise<SacLearner> {
    const { observations, actions, config, seed, engine, onNote, threads, spin_us } = options;
    const graph = new Graph();
    const networks = sacGraph(graph, observations, actions, config);
    const program = await compile(graph, { engine, onNote, threads, spin_us });
    const critic = networks.layout.critic.initialise(Random.stream(seed, 'sac', 'critic'));
    program.setState('critic', critic);
    if (graph.states.has('target')) program.setState('target', critic);
    if (graph.states.has('statistics')) {
      program.setState('statistics', networks.layout.statistics.initialise(Random.stream(seed)));
    }
    const actor = networks.layout.actor.initialise(Random.stream(seed, 'sac', 'actor'));
    program.setState('actor', actor);
    if (graph.states.has('average')) program.setState('average', actor);
    program.setState('logAlpha', Float32Array.of(Math.log(config.initial_temperature)));
    return new SacLearner(options, program, graph, Random.stream(seed, 'sac', 'noise'));
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
   * One update of the critics and, unless told otherwise, of the actor and the temperature.
   * @throws Error when the losses are no longer finite: the weights are lost, what was saved before is not
   */
  async step(batch: SacBatch, updateActor = true): Promise<void> {
    const step = updateActor ? 'both' : 'critic';
    const { metrics } = await this.program.run(step, { ...batch, ...this.noise.draw(step, this.random) });
    for (const [i, value] of metrics.entries()) this.latest[sacMetrics[i]] = value;
    this.updateCount++;
    if (!metrics.every(Number.isFinite)) {
      throw new Error(
        `SAC diverged at update ${this.updateCount} (${[...metrics].map((v, i) => `${sacMetrics[i]} ${v}`).join(', ')}): ` +
          'a batch with a value that is not finite, or a learning rate too high',
      );
    }
  }

  /** What the newest update measured; the actor's part is from its newest update. */
  metrics(): SacMetrics {
    return { ...this.latest };
  }

  /** A copy of the weights that the policy acts with, in the order of `actorLayout`: the actor's, or their average. */
  actorParameters(): Float32Array {
    return this.program.getState(this.graph.states.has('average') ? 'average' : 'actor');
  }

  /** The actor as an .onnx file: `observation` → `mean` (before tanh), `log_std`, `action` = tanh(mean). */
  exportActor(metadata: Record<string, string> = {}): Uint8Array {
    return exportActor(this.options, this.actorParameters(), metadata);
  }

  save(): SacCheckpoint {
    const ids = [...this.graph.states.keys()];
    const states = ids.map((id) => [id, this.program.getState(id)] as const);
    const metrics = Float32Array.from(sacMetrics, (name) => this.latest[name]);
    return {
      tensors: { ...Object.fromEntries(states), metrics },
      updates: this.updateCount,
      random: this.random.state,
    };
  }

  /** Goes on where a checkpoint was saved. @throws UserError when it is of a learner of other sizes */
  load(checkpoint: SacCheckpoint): void {
    const tensors = [...this.graph.states].map(
      ([id, { shape }]) => [id, checkedTensor(checkpoint.tensors, id, shape)] as const,
    );
    const metrics = checkedTensor(checkpoint.tensors, 'metrics', [sacMetrics.length]);
    for (const [id, values] of tensors) this.program.setState(id, values);
    for (const [i, name] of sacMetrics.entries()) this.latest[name] = metrics[i];
    this.updateCount = checkpoint.updates;
    this.random.state = checkpoint.random;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}
