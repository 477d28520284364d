import {
  add,
  concat,
  max,
  mean,
  mul,
  type Parameters,
  reshape,
  slice,
  softplus,
  stopGradient,
  sub,
  type Tensor,
} from '../../tensor/index.js';
import type { DreamerNetworks } from './networks.js';
import { features, type ModelState } from './rssm.js';

/** A batch of sequences as tensors, time first: [T, B, ..]; what was done and got before each observation. */
export interface SequenceTensors {
  /** xₜ, [T, B, observations and pixels] */
  readonly observation: Tensor;
  /** aₜ₋₁, [T, B, actions] */
  readonly action: Tensor;
  /** rₜ, [T, B, 1] */
  readonly reward: Tensor;
  /** 1 where an episode starts, [T, B, 1]: nothing is carried over from before. */
  readonly first: Tensor;
  /** 1 where the task ended, [T, B, 1] */
  readonly terminal: Tensor;
  /** 1 where aₜ₋₁ was shown by somebody, [T, B, 1]; where nothing is imitated, none. */
  readonly demonstrated?: Tensor;
  /** The state before the first step, [B, ..]. */
  readonly carry: ModelState;
  /** Random numbers of the posterior's draws, [T, B, latent.noise.size]. */
  readonly noise: Tensor;
}

/** What a walk along the sequences gives, rows in time order: [T · B, ..]. */
export interface Observed {
  readonly states: ModelState;
  readonly features: Tensor;
  readonly prior: Tensor;
  readonly posterior: Tensor;
}

/** x[t] of [T, B, ..], as [B, ..]. */
export const at = (x: Tensor, t: number): Tensor => reshape(slice(x, 0, t, t + 1), x.shape.slice(1));

/** Steps `from` on of [T · B, n], each [B, n]. */
export const stepsOf = (x: Tensor, B: number, from = 0): Tensor[] =>
  Array.from({ length: x.shape[0] / B - from }, (_, t) => slice(x, 0, (t + from) * B, (t + from + 1) * B));

/** [T, B, n] as [T · B, n]. */
export const rows = (x: Tensor): Tensor => reshape(x, [-1, x.shape.at(-1)!]);

/** Walks along the sequences with the observations at hand: hₜ = f(hₜ₋₁, zₜ₋₁, aₜ₋₁), zₜ ~ q(hₜ, xₜ). */
export function observe(networks: DreamerNetworks, p: Parameters, batch: SequenceTensors): Observed {
  const { model } = networks;
  const [T, B] = batch.observation.shape;
  const tokens = networks.encode(p, rows(batch.observation));
  let { h, z } = batch.carry;
  const walk: { h: Tensor; z: Tensor; prior: Tensor; posterior: Tensor }[] = [];
  for (let t = 0; t < T; t++) {
    const goesOn = sub(1, at(batch.first, t));
    h = model.advance(p, { h: mul(h, goesOn), z: mul(z, goesOn) }, mul(at(batch.action, t), goesOn));
    const posterior = model.posterior(p, h, slice(tokens, 0, t * B, (t + 1) * B));
    z = model.latent.draw(posterior, at(batch.noise, t));
    walk.push({ h, z, prior: model.prior(p, h), posterior });
  }
  const all = (key: keyof (typeof walk)[0]) =>
    concat(
      walk.map((step) => step[key]),
      0,
    );
  const states = { h: all('h'), z: all('z') };
  return { states, features: features(states), prior: all('prior'), posterior: all('posterior') };
}

/** −ln p of a Bernoulli variable given its logit, target between 0 and 1. */
export const bernoulliLoss = (logit: Tensor, target: Tensor): Tensor =>
  sub(softplus(logit), mul(logit, target));

/**
 * L = E[ β_pred L_pred + β_dyn max(1, KL[sg q ‖ p]) + β_rep max(1, KL[q ‖ sg p]) ] (DreamerV3, eq. 4 and 5), or with
 * one balanced KL (DreamerV2, eq. 2 and algorithm 2).
 * @returns the loss and its parts, scalars
 */
export function worldModelLoss(
  networks: DreamerNetworks,
  p: Parameters,
  batch: SequenceTensors,
  { features, prior, posterior }: Observed,
): { loss: Tensor; parts: Record<'reconstruction' | 'reward' | 'continue' | 'kl', Tensor> } {
  const { config, model, twoHot } = networks;
  const { latent } = model;
  const reconstruction = mean(networks.reconstructionLoss(p, features, rows(batch.observation)));
  const reward = mean(twoHot.loss(networks.reward.apply(p, features), twoHot.encode(rows(batch.reward))));
  const goesOn = mul(sub(1, rows(batch.terminal)), 1 - 1 / config.discount_horizon);
  const continues = mean(bernoulliLoss(networks.continues.apply(p, features), goesOn));

  const dynamics = latent.divergence(stopGradient(posterior), prior);
  const representation = latent.divergence(posterior, stopGradient(prior));
  const balance = config.kl_balance;
  const free = (kl: Tensor) => mean(max(kl, config.free_nats));
  const kl =
    balance === undefined
      ? add(
          mul(free(dynamics), config.dynamics_scale),
          mul(free(representation), config.representation_scale),
        )
      : mean(add(mul(dynamics, balance), mul(representation, 1 - balance)));

  const prediction = add(mul(reconstruction, config.reconstruction_scale), add(reward, continues));
  return {
    loss: add(prediction, kl),
    parts: { reconstruction, reward, continue: continues, kl: mean(dynamics) },
  };
}
