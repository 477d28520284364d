import {
  add,
  concat,
  exp,
  type Graph,
  gradients,
  mean,
  min,
  mul,
  neg,
  ParameterLayout,
  type Parameters,
  reshape,
  square,
  stopGradient,
  sub,
  type Tensor,
} from '../../tensor/index.js';
import { adam, type Module, mlp, Pass } from '../nn/index.js';
import { actorNetwork, gaussian, sample } from './actor.js';
import type { SacConfig } from './presets.js';

export interface SacNetworks {
  actor: Module;
  critics: readonly [Module, Module];
  /** Order of the flat vectors `actor` and `critic`; `target` is like `critic`. */
  layout: { actor: ParameterLayout; critic: ParameterLayout };
}

export function sacNetworks(observations: number, actions: number, config: SacConfig): SacNetworks {
  const sizes = [observations + actions, ...config.critic_hidden, 1];
  const options = { activation: config.activation, norm: config.critic_norm, dropout: config.dropout > 0 };
  const actor = actorNetwork(observations, actions, config);
  const critics = [mlp('q1', sizes, options), mlp('q2', sizes, options)] as const;
  const layout = {
    actor: new ParameterLayout(actor.parameters),
    critic: new ParameterLayout(critics.flatMap((q) => q.parameters)),
  };
  return { actor, critics, layout };
}

/** What the output `metrics` holds, in order; step `critic` gives the first three. */
export const sacMetrics = [
  'critic_loss',
  'q_mean',
  'target_mean',
  'actor_loss',
  'temperature',
  'entropy',
] as const;

/**
 * One update of Soft Actor-Critic (Haarnoja et al., "Soft Actor-Critic Algorithms and Applications", 2018), in
 * CleanRL's order: the critics step first, the actor and the temperature step against the stepped critics.
 *
 * Step `critic` updates the critics and their targets alone, step `both` the actor and the temperature too.
 * `discount` is γⁿ · (1 − terminal) for each sample: a time-out is not terminal, and n steps of reward are summed
 * by the replay.
 */
export function sacGraph(g: Graph, observations: number, actions: number, config: SacConfig): SacNetworks {
  const networks = sacNetworks(observations, actions, config);
  const { actor, critics, layout } = networks;
  const B = config.batch;
  const s = g.input('observation', [B, observations]);
  const a = g.input('action', [B, actions]);
  const r = g.input('reward', [B, 1]);
  const discount = g.input('discount', [B, 1]);
  const sNext = g.input('nextObservation', [B, observations]);
  const noise = g.input('noise', [B, actions]);
  const noiseNext = g.input('nextNoise', [B, actions]);
  const theta = g.state('actor', [layout.actor.size]);
  const phi = g.state('critic', [layout.critic.size]);
  const phiTarget = g.state('target', [layout.critic.size]);
  const logAlpha = g.state('logAlpha', []);

  const Q = (p: Parameters, name: string, obs: Tensor, action: Tensor): [Tensor, Tensor] => {
    const pass = new Pass(g, name);
    const input = concat([obs, action], 1);
    return [critics[0].apply(p, input, pass), critics[1].apply(p, input, pass)];
  };
  const pi = (p: Parameters, name: string, obs: Tensor, epsilon: Tensor) =>
    sample(gaussian(actor, p, obs, config, new Pass(g, name)), epsilon);
  const thetas = layout.actor.views(theta);
  const phis = layout.critic.views(phi);
  const alpha = exp(logAlpha);

  // Critics: J_Q(φ) = E[(Q_φ(s, a) − y)²], y = r + γⁿ (1 − terminal) (min Q_φ'(s', a') − α log π(a'|s'))
  const next = pi(thetas, 'next', sNext, noiseNext);
  const qNext = Q(layout.critic.views(phiTarget), 'target', sNext, next.action);
  const y = stopGradient(add(r, mul(discount, sub(min(...qNext), mul(alpha, next.logProb)))));
  const q = Q(phis, 'critic', s, a);
  const criticLoss = add(mean(square(sub(q[0], y))), mean(square(sub(q[1], y))));
  const criticGradient = layout.critic.gradient(criticLoss, phis);
  const critic = adam(g, phi, criticGradient, { learningRate: config.critic_lr });

  // Actor: J_π(θ) = E[α log π_θ(a|s) − min Q_φ(s, a)], a drawn from π_θ
  const drawn = pi(thetas, 'drawn', s, noise);
  const qPi = Q(layout.critic.views(critic.value), 'actor', s, drawn.action);
  const actorLoss = mean(sub(mul(stopGradient(alpha), drawn.logProb), min(...qPi)));
  const actorGradient = layout.actor.gradient(actorLoss, thetas);
  const actorStep = adam(g, theta, actorGradient, { learningRate: config.actor_lr });

  // Temperature: J(α) = E[−α (log π(a|s) + H̄)]
  const targetEntropy = config.target_entropy_per_action * actions;
  const entropy = neg(mean(drawn.logProb));
  const alphaLoss = mul(alpha, stopGradient(sub(entropy, targetEntropy)));
  const [alphaGradient] = gradients(alphaLoss, [logAlpha]);
  const temperature = adam(g, logAlpha, alphaGradient, { learningRate: config.temperature_lr });

  // Targets: φ' ← φ' + τ (φ − φ')
  const polyak = [phiTarget, add(phiTarget, mul(sub(critic.value, phiTarget), config.tau))] as const;

  const metrics = (...values: Tensor[]) =>
    concat(
      values.map((v) => reshape(v, [1])),
      0,
    );
  const qMean = mean(q[0]);
  g.step('critic', [...critic.updates, polyak], { metrics: metrics(criticLoss, qMean, mean(y)) });
  g.step('both', [...critic.updates, polyak, ...actorStep.updates, ...temperature.updates], {
    metrics: metrics(criticLoss, qMean, mean(y), actorLoss, alpha, entropy),
  });
  return networks;
}
