import type { Random } from '../base/random.js';
import { Mlp, type MlpLayer } from './mlp.js';
import type { Exploration, Policy } from './policy.js';

/** Bounds of the logarithm of the standard deviation before tanh. */
export const LOG_STD_MIN = -5;
export const LOG_STD_MAX = 2;

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
 * logStd clamped to [−5, 2].
 * @param head [mean(A), logStd(A)]
 */
export function sampleAction(head: Float32Array, action: Float32Array, random: Random, scale = 1): void {
  const A = action.length;
  for (let i = 0; i < A; i++) {
    const logStd = Math.min(LOG_STD_MAX, Math.max(LOG_STD_MIN, head[A + i]));
    action[i] = Math.tanh(head[i] + scale * Math.exp(logStd) * random.normal());
  }
}

/** The actor of SAC as the simulation workers run it, its weights replaced as the learner improves them. */
export class GaussianMlpPolicy implements Policy {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly network: Mlp;

  /** @param hidden layers before the linear output of 2 · actionSize */
  constructor(observationSize: number, actionSize: number, hidden: readonly MlpLayer[]) {
    this.observationSize = observationSize;
    this.actionSize = actionSize;
    this.network = new Mlp(observationSize, [...hidden, { outputs: 2 * actionSize }]);
  }

  setParameters(flat: Float32Array): void {
    this.network.setParameters(flat);
  }

  act(observation: Float32Array, action: Float32Array, explore?: Exploration): void {
    const head = this.network.forward(observation);
    if (explore) sampleAction(head, action, explore.random, explore.scale);
    else meanAction(head, action);
  }

  reset(): void {}
}
