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
  slice,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../tensor/index.js';
import { adam, type Module, mlp, Pass } from '../nn/index.js';
import { actorNetwork, gaussian, sample } from './actor.js';
import type { SacConfig } from './presets.js';

export interface SacNetworks {
  actor: Module;
  critics: readonly [Module, Module];
  /** Order of the flat vectors `actor`, `critic` and `statistics`; `target` is like `critic`. */
  layout: { actor: ParameterLayout; critic: ParameterLayout; statistics: ParameterLayout };
}

export function sacNetworks(observations: number, actions: number, config: SacConfig): SacNetworks {
  const sizes = [observations + actions, ...config.critic_hidden, 1];
  const options = { activation: config.activation, norm: config.critic_norm, dropout: config.dropout > 0 };
  const actor = actorNetwork(observations, actions, config);
  const critics = [mlp('q1', sizes, options), mlp('q2', sizes, options)] as const;
  const layout = {
    actor: new ParameterLayout(actor.parameters),
    critic: new ParameterLayout(critics.flatMap((q) => q.parameters)),
    statistics: new ParameterLayout(critics.flatMap((q) => q.statistics ?? [])),
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
  const logAlpha = g.state('logAlpha', []);

  const policy = (name: string, obs: Tensor) => gaussian(actor, thetas, obs, config, new Pass(g, name));
  const Q = (p: Parameters, obs: Tensor, action: Tensor, pass: Pass): Pair =>
    both(critics, (critic) => critic.apply(p, concat([obs, action], 1), pass));
  const optimiser = (learningRate: number) => ({ learningRate, beta1: config.adam_beta1 });
  const thetas = layout.actor.views(theta);
  const phis = layout.critic.views(phi);
  const alpha = exp(logAlpha);

  // Critics: J_Q(φ) = E[(Q_φ(s, a) − y)²], y = r + γⁿ (1 − terminal) (min Q_φ'(s', a') − α log π(a'|s'))
  const next = sample(policy('next', sNext), noiseNext);
  let q: Pair;
  let qNext: Pair;
  let statistics: Parameters = {};
  const updates: (readonly [state: Tensor, value: Tensor])[] = [];
  if (config.critic_norm === 'batch') {
    // CrossQ: no φ'; one pass over both batches, normalised by what they have in common
    const running = g.state('statistics', [layout.statistics.size]);
    const pass = new Pass(g, 'critic', layout.statistics.views(running), true);
    const joint = Q(phis, concat([s, sNext], 0), concat([a, next.action], 0), pass);
    q = both(joint, (x) => slice(x, 0, 0, B));
    qNext = both(joint, (x) => slice(x, 0, B, 2 * B));
    statistics = pass.statistics;
    updates.push([running, layout.statistics.flatten(statistics)]);
  } else {
    const phiTarget = g.state('target', [layout.critic.size]);
    q = Q(phis, s, a, new Pass(g, 'critic'));
    qNext = Q(layout.critic.views(phiTarget), sNext, next.action, new Pass(g, 'target'));
  }
  const y = stopGradient(add(r, mul(discount, sub(min(...qNext), mul(alpha, next.logProb)))));
  const criticLoss = add(...both(q, (x) => mean(square(sub(x, y)))));
  const critic = adam(g, phi, layout.critic.gradient(criticLoss, phis), optimiser(config.critic_lr));
  updates.push(...critic.updates);

  // Targets: φ' ← φ' + τ (φ − φ')
  const phiTarget = g.states.get('target');
  if (phiTarget) updates.push([phiTarget, add(phiTarget, mul(sub(critic.value, phiTarget), config.tau))]);

  // Actor: J_π(θ) = E[α log π_θ(a|s) − min Q_φ(s, a)], a drawn from π_θ
  const here = policy('drawn', s);
  const drawn = sample(here, noise);
  // The critics are given: in CrossQ their step depends on θ, by way of the next actions in the joint pass.
  const stepped = layout.critic.views(stopGradient(critic.value));
  const qPi = Q(stepped, s, drawn.action, new Pass(g, 'actor', statistics));
  let actorLoss = mean(sub(mul(stopGradient(alpha), drawn.logProb), min(...qPi)));
  if (config.bc_weight > 0) {
    // + λ E[d |tanh μ_θ(s) − a|²], d = 1 where a was shown (Nair et al., "Overcoming Exploration in Reinforcement
    // Learning with Demonstrations", 2018, without their filter): it leads while the critics know nothing yet
    const d = g.input('demonstrated', [B, 1]);
    const distance = sum(square(sub(tanh(here.mean), a)), { axes: [1], keepDims: true });
    actorLoss = add(actorLoss, mul(mean(mul(d, distance)), config.bc_weight));
  }
  const actorStep = adam(g, theta, layout.actor.gradient(actorLoss, thetas), optimiser(config.actor_lr));
  const actorUpdates = [...actorStep.updates];
  if (config.actor_average > 0) {
    // θ̄ ← θ̄ + ν (θ − θ̄): averages of the weights of late updates generalise better than any of them (Polyak and
    // Juditsky, 1992; Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018)
    const average = g.state('average', [layout.actor.size]);
    actorUpdates.push([average, add(average, mul(sub(actorStep.value, average), config.actor_average))]);
  }

  // Temperature: J(α) = E[−α (log π(a|s) + H̄)]
  const entropy = neg(mean(drawn.logProb));
  const targetEntropy = config.target_entropy_per_action * actions;
  const alphaLoss = mul(alpha, stopGradient(sub(entropy, targetEntropy)));
  const [alphaGradient] = gradients(alphaLoss, [logAlpha]);
  const temperature = adam(g, logAlpha, alphaGradient, optimiser(config.temperature_lr));

  const measured = [criticLoss, mean(q[0]), mean(y)];
  g.step('critic', updates, { metrics: stack(measured) });
  g.step('both', [...updates, ...actorUpdates, ...temperature.updates], {
    metrics: stack([...measured, actorLoss, alpha, entropy]),
  });
  return networks;
}

/** Something of each of the twin critics. */
type Pair = [Tensor, Tensor];

const both = <T>([first, second]: readonly [T, T], f: (x: T) => Tensor): Pair => [f(first), f(second)];

/** Scalars as one vector. */
const stack = (scalars: readonly Tensor[]) =>
  concat(
    scalars.map((x) => reshape(x, [1])),
    0,
  );
