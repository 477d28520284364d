import {
  abs,
  add,
  concat,
  div,
  max,
  mul,
  type ParameterSpec,
  type Parameters,
  reshape,
  sigmoid,
  slice,
  stopGradient,
  sub,
  type Tensor,
  tanh,
} from '../../tensor/index.js';
import { type Latent, latentOf } from './latent.js';
import { activated, blockDense, blockProduct, chain, dense, hidden, type Layer } from './layers.js';
import type { DreamerConfig } from './presets.js';

/** The model's state: h, deterministic, [rows, deter], and z, stochastic, [rows, latent.size]. */
export interface ModelState {
  readonly h: Tensor;
  readonly z: Tensor;
}

/** Both parts side by side, [rows, deter + latent.size]: what every head sees. */
export const features = ({ h, z }: ModelState): Tensor => concat([h, z], h.rank - 1);

/**
 * The block-recurrent state-space model (DreamerV3, eq. 3):
 *
 *     hₜ = f(hₜ₋₁, zₜ₋₁, aₜ₋₁)      prior  ẑₜ ~ p(hₜ)      posterior  zₜ ~ q(hₜ, xₜ)
 */
export class StateSpaceModel {
  readonly latent: Latent;
  readonly parameters: readonly ParameterSpec[];
  private readonly fromH: Layer;
  private readonly fromZ: Layer;
  private readonly fromA: Layer;
  private readonly mixOwn: Layer;
  private readonly mixShared: Layer;
  private readonly mixed: Layer;
  private readonly gates: Layer;
  private readonly priorNet: Layer;
  private readonly posteriorNet: Layer;

  /** @param tokens length of the embedded observation x */
  constructor(
    private readonly config: DreamerConfig,
    actions: number,
    tokens: number,
  ) {
    const { deter, hidden: units, blocks } = config;
    this.latent = latentOf(config);
    this.fromH = hidden('rssm.h', deter, units);
    this.fromZ = hidden('rssm.z', this.latent.size, units);
    this.fromA = hidden('rssm.a', actions, units);
    // Each block sees its own part of h and all of the three inputs. What the blocks share is one product for all.
    const [own, shared] = [deter / blocks, 3 * units];
    const share = (inputs: number) => Math.sqrt(inputs / (own + shared));
    this.mixOwn = blockProduct('rssm.mix.own', deter, deter, blocks, share(own));
    this.mixShared = dense('rssm.mix.shared', shared, deter, share(shared));
    this.mixed = activated('rssm.mix', deter);
    this.gates = blockDense('rssm.gates', deter, 3 * deter, blocks);
    const statistics = this.latent.statistics;
    this.priorNet = chain(
      hidden('rssm.prior.0', deter, units),
      hidden('rssm.prior.1', units, units),
      dense('rssm.prior.out', units, statistics),
    );
    this.posteriorNet = chain(
      hidden('rssm.posterior.0', deter + tokens, units),
      dense('rssm.posterior.out', units, statistics),
    );
    this.parameters = [
      ...[this.fromH, this.fromZ, this.fromA, this.mixOwn, this.mixShared, this.mixed, this.gates],
      ...[this.priorNet, this.posteriorNet],
    ].flatMap((layer) => layer.parameters);
  }

  /** hₜ from the state before and the action that led here, [rows, actions]. */
  advance(p: Parameters, { h, z }: ModelState, action: Tensor): Tensor {
    const { deter, blocks } = this.config;
    const rows = h.shape[0];
    const bounded = div(action, stopGradient(max(abs(action), 1)));
    const inputs = concat([this.fromH.apply(p, h), this.fromZ.apply(p, z), this.fromA.apply(p, bounded)], 1);
    const mixed = this.mixed.apply(p, add(this.mixOwn.apply(p, h), this.mixShared.apply(p, inputs)));
    const gates = reshape(this.gates.apply(p, mixed), [rows, blocks, 3, deter / blocks]);
    const gate = (i: number) => reshape(slice(gates, 2, i, i + 1), [rows, deter]);
    // A gated recurrent unit whose update gate starts nearly closed.
    const reset = sigmoid(gate(0));
    const candidate = tanh(mul(reset, gate(1)));
    const update = sigmoid(sub(gate(2), 1));
    return add(h, mul(update, sub(candidate, h)));
  }

  /** Statistics of ẑ, [rows, latent.statistics]. */
  prior(p: Parameters, h: Tensor): Tensor {
    return this.priorNet.apply(p, h);
  }

  /** Statistics of z given what was seen, [rows, tokens]. */
  posterior(p: Parameters, h: Tensor, tokens: Tensor): Tensor {
    return this.posteriorNet.apply(p, concat([h, tokens], 1));
  }
}
