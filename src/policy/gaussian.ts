import type { Random } from '../base/random.js';
import type { Activation } from './layers.js';
import { Mlp } from './mlp.js';
import type { Exploration, Policy } from './policy.js';

/** Bounds of the logarithm of the standard deviation before tanh, unless the learner sets others. */
export const LOG_STD_BOUNDS: readonly [number, number] = [-5, 2];

/**
 * The mode of the squashed Gaussian: action = tanh(mean).
 * @param head [mean(A), logStd(A)], the actor's output
 */
export function meanAction(head: Float32Array, action: Float32Array): void {
  for (let i = 0; i < action.length; i++) action[i] = Math.tanh(head[i]);
}

/**
 * A draw from the squashed Gaussian (Haarnoja et al., "Soft Actor-Critic Algorithms and
 * Applications", 2018, appendix C): action = tanh(mean + scale · exp(logStd) · ε), ε ~ N(0, 1), with
 * logStd clamped to its bounds.
 * @param head [mean(A), logStd(A)]
 */
export function sampleAction(
  head: Float32Array,
  action: Float32Array,
  random: Random,
  scale = 1,
  bounds: readonly [number, number] = LOG_STD_BOUNDS,
): void {
  const A = action.length;
  for (let i = 0; i < A; i++) {
    const logStd = Math.min(bounds[1], Math.max(bounds[0], head[A + i]));
    action[i] = Math.tanh(head[i] + scale * Math.exp(logStd) * random.normal());
  }
}

/** Sizes of an actor; what `actorLayout` of src/learn/sac returns. */
export interface GaussianActor {
  readonly observations: number;
  readonly actions: number;
  readonly hidden: readonly number[];
  readonly activation: Activation;
  /** Bounds of the logarithm of the standard deviation; default `LOG_STD_BOUNDS`. */
  readonly logStd?: readonly [number, number];
}

/** The actor of SAC as the simulation workers run it, its weights replaced as the learner improves them. */
export class GaussianPolicy implements Policy {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly network: Mlp;
  private readonly logStd: readonly [number, number];

  constructor(actor: GaussianActor) {
    const { observations, actions, hidden, activation, logStd = LOG_STD_BOUNDS } = actor;
    this.observationSize = observations;
    this.actionSize = actions;
    this.logStd = logStd;
    this.network = Mlp.of(observations, hidden, 2 * actions, { activation });
  }

  /** @param flat weights and biases layer by layer, as the learner's `actorParameters()` gives them */
  setParameters(flat: Float32Array): void {
    this.network.setParameters(flat);
  }

  act(observation: Float32Array, action: Float32Array, explore?: Exploration): void {
    const head = this.network.forward(observation);
    if (explore) sampleAction(head, action, explore.random, explore.scale, this.logStd);
    else meanAction(head, action);
  }

  reset(): void {}
}
