import {
  add,
  concat,
  div,
  mean,
  mul,
  neg,
  type Parameters,
  reshape,
  sigmoid,
  slice,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import type { DreamerNetworks } from './networks.js';
import { lambdaReturns } from './returns.js';
import { features, type ModelState } from './rssm.js';
import { at, type Observed, rows, type SequenceTensors, stepsOf } from './worldModel.js';

/** Random numbers of a dream of H steps from N states. */
export interface DreamNoise {
  /** [H, N, latent.noise.size] */
  readonly latent: Tensor;
  /** [H, N, actions]; [H, N, 1] for discrete actions */
  readonly action: Tensor;
}

export interface BehaviourLoss {
  /** Of the actor and of the critic, scalars. */
  readonly actor: Tensor;
  readonly critic: Tensor;
  /** λ-returns in the dreams, [H, N]. */
  readonly returns: Tensor;
  /** Of the policy, mean in nats. */
  readonly entropy: Tensor;
}

/**
 * Learns behaviour from dreams: H steps under the model and the policy from every start (DreamerV3, eq. 6 to 9).
 *
 * With `reinforce` nothing flows through the dream: the actor is told how much better than expected its actions did,
 * in units of the returns' range S. With `dynamics` (v1) the returns themselves are differentiated.
 * @param starts states [N, ..]
 * @param ends 1 where a start is an episode's end, [N, 1]
 * @param scale max(1, S), a scalar
 */
export function behaviourLoss(
  networks: DreamerNetworks,
  p: Parameters,
  slow: Parameters,
  starts: ModelState,
  ends: Tensor,
  noise: DreamNoise,
  scale: Tensor,
): BehaviourLoss {
  const { config, model, twoHot } = networks;
  const through = config.actor_gradient === 'dynamics';
  const held = through ? (x: Tensor) => x : stopGradient;
  // Behaviour never changes the model that it is learned in.
  const fixed = Object.fromEntries(Object.entries(p).map(([name, x]) => [name, stopGradient(x)]));
  const N = starts.h.shape[0];
  const H = config.horizon;

  // The dream: feature₀ .. feature_H, action₀ .. action_H₋₁
  let state: ModelState = { h: stopGradient(starts.h), z: stopGradient(starts.z) };
  const dreamt = [features(state)];
  const policies = [];
  const actions: Tensor[] = [];
  for (let t = 0; t < H; t++) {
    const policy = networks.policy(p, stopGradient(dreamt[t]));
    const action = held(policy.draw(at(noise.action, t)));
    const h = held(model.advance(fixed, state, action));
    const z = held(model.latent.draw(model.prior(fixed, h), at(noise.latent, t)));
    state = { h, z };
    policies.push(policy);
    actions.push(action);
    dreamt.push(features(state));
  }
  const all = concat(dreamt, 0);
  const steps = (x: Tensor, from = 0) => stepsOf(x, N, from);

  const reward = steps(twoHot.mean(networks.reward.apply(fixed, all)), 1);
  const goesOn = sigmoid(networks.continues.apply(fixed, all));
  const carry = steps(goesOn, 1);
  const logits = networks.critic.apply(p, stopGradient(all));
  const value = steps(twoHot.mean(through ? networks.critic.apply(fixed, all) : logits));
  const returns = lambdaReturns(reward, carry, value.slice(1), config.lambda);

  // How likely the dream is still going on at each of its steps.
  let alive = mul(sub(1, ends), 1 - 1 / config.discount_horizon);
  const weight = [alive];
  for (let t = 0; t < H - 1; t++) {
    alive = mul(alive, carry[t]);
    weight.push(alive);
  }
  const w = stopGradient(concat(weight, 0));
  const returned = concat(returns, 0);
  const drawn = concat(
    policies.map((policy, t) => policy.logProbability(stopGradient(actions[t]))),
    0,
  );
  const entropy = concat(
    policies.map((policy) => policy.entropy()),
    0,
  );
  const advantage = stopGradient(div(sub(returned, concat(value.slice(0, H), 0)), scale));
  const gain = through ? div(returned, scale) : mul(drawn, advantage);
  const actor = neg(mean(mul(w, add(gain, mul(entropy, config.entropy)))));

  const before = (x: Tensor) => slice(x, 0, 0, H * N);
  const critic = mean(
    mul(w, criticLoss(networks, slow, before(logits), stopGradient(before(all)), returned)),
  );
  return { actor, critic, returns: reshape(returned, [H, N]), entropy: mean(entropy) };
}

/** −ln p(G) and, as a regulariser, −ln p of what the slow critic says; [rows, 1]. */
function criticLoss(
  networks: DreamerNetworks,
  slow: Parameters,
  logits: Tensor,
  seen: Tensor,
  returned: Tensor,
): Tensor {
  const { config, twoHot, critic } = networks;
  const target = twoHot.encode(stopGradient(returned));
  const slowValue = stopGradient(twoHot.mean(critic.apply(slow, seen)));
  // Both targets in one product with the log-probabilities.
  const both = add(target, mul(twoHot.encode(slowValue), config.slow_scale));
  return twoHot.loss(logits, stopGradient(both));
}

/**
 * The critic on what really happened (DreamerV3, "replay loss"): λ-returns along the sequences, each step
 * bootstrapped from the dream that starts there, or from the slow critic where not every step starts one.
 * @param dreamt G₀ of the dream from every step, [T · B, 1]
 */
export function replayValueLoss(
  networks: DreamerNetworks,
  p: Parameters,
  slow: Parameters,
  batch: SequenceTensors,
  observed: Observed,
  dreamt: Tensor | undefined,
): Tensor {
  const { config, twoHot, critic } = networks;
  const [T, B] = batch.observation.shape;
  const boot = stopGradient(dreamt ?? twoHot.mean(critic.apply(slow, observed.features)));
  const later = slice(rows(batch.first), 0, B, T * B);
  const carry = stepsOf(mul(sub(1, rows(batch.terminal)), 1 - 1 / config.discount_horizon), B, 1);
  // Where the next step starts another episode, this one was its episode's last: its own dream stands for the rest.
  const starts = stepsOf(later, B);
  const lasts = [...starts.slice(1), mul(starts[0], 0)];
  const lambda = lasts.map((last) => mul(sub(1, last), config.lambda));
  const returned = concat(
    lambdaReturns(stepsOf(rows(batch.reward), B, 1), carry, stepsOf(boot, B, 1), lambda),
    0,
  );
  const seen = slice(observed.features, 0, 0, (T - 1) * B);
  const loss = criticLoss(networks, slow, critic.apply(p, seen), stopGradient(seen), returned);
  const weight = sub(1, later);
  return div(sum(mul(loss, weight)), T * B);
}
