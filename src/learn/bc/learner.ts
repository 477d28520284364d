import { Random } from '../../base/random.js';
import {
  add,
  compile,
  Graph,
  mean,
  mul,
  ParameterLayout,
  type Program,
  reshape,
  square,
  sub,
  tanh,
} from '../../tensor/index.js';
import { adam, Pass } from '../nn/index.js';
import type { Replay } from '../replay/replay.js';
import { ReplayBatch } from '../replay/transition.js';
import { actorNetwork, gaussian } from '../sac/actor.js';
import type { SacConfig } from '../sac/index.js';

export interface BcOptions {
  readonly observations: number;
  readonly actions: number;
  /** Sizes, activation, batch and `actor_lr` of the actor; the rest is not looked at. */
  readonly config: SacConfig;
  readonly seed: number;
  readonly threads?: number;
}

/** The spread of a cloned policy is not learned: it is led to this, of actions in [−1, 1] before tanh. */
const LOG_STD = -2;
const LOG_STD_WEIGHT = 0.01;

/**
 * Behaviour cloning (Pomerleau, 1989): the actor of SAC regressed on demonstrated actions,
 *
 *     L(θ) = E[(tanh μ_θ(s) − a)²]
 *
 * A baseline: it needs no reward and no robot, and knows nothing of states that nobody showed it.
 */
export class BcLearner {
  private readonly batch: ReplayBatch;
  private readonly random: Random;
  private latest = Number.NaN;

  private constructor(
    readonly options: BcOptions,
    private readonly program: Program,
    private readonly demonstrations: Replay,
  ) {
    this.batch = new ReplayBatch(options.config.batch, demonstrations.contract);
    this.random = Random.stream(options.seed, 'bc', 'replay');
  }

  static async create(options: BcOptions, demonstrations: Replay): Promise<BcLearner> {
    const { observations, actions, config, seed, threads } = options;
    const g = new Graph();
    const actor = actorNetwork(observations, actions, config);
    const layout = new ParameterLayout(actor.parameters);
    const theta = g.state('actor', [layout.size]);
    const thetas = layout.views(theta);
    const s = g.input('observation', [config.batch, observations]);
    const a = g.input('action', [config.batch, actions]);
    const { mean: mu, logStd } = gaussian(actor, thetas, s, config, new Pass(g, 'bc'));
    const error = mean(square(sub(tanh(mu), a)));
    const spread = mean(square(sub(logStd, LOG_STD)));
    const loss = add(error, mul(spread, LOG_STD_WEIGHT));
    const { updates } = adam(g, theta, layout.gradient(loss, thetas), { learningRate: config.actor_lr });
    g.step('update', updates, { metrics: reshape(error, [1]) });
    const program = await compile(g, { threads });
    program.setState('actor', layout.initialise(Random.stream(seed, 'bc', 'actor')));
    return new BcLearner(options, program, demonstrations);
  }

  /** One update on a batch of demonstrations. @throws Error when the loss is no longer finite */
  async step(): Promise<void> {
    const { batch, random, demonstrations, program } = this;
    demonstrations.sample(batch.rows, random, batch);
    const { metrics } = await program.run('update', { observation: batch.observation, action: batch.action });
    this.latest = metrics[0];
    if (!Number.isFinite(this.latest)) throw new Error('behaviour cloning diverged: learning rate too high');
  }

  /** Mean squared error of the newest batch. */
  get error(): number {
    return this.latest;
  }

  /** Weights of the actor, in the order of `actorLayout`. */
  actorParameters(): Float32Array {
    return this.program.getState('actor');
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}
