import {
  mean,
  mul,
  type Parameters,
  slice,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import type { DreamerNetworks } from './networks.js';
import { type Observed, rows, type SequenceTensors } from './worldModel.js';

/**
 * E[d |μ(sₜ) − aₜ|²] along the sequences, d = 1 where aₜ was shown, as SAC's actor has it (Nair et al., "Overcoming
 * Exploration in Reinforcement Learning with Demonstrations", 2018): dreams alone tell an actor nothing of what its
 * model has never seen, such as the first time on its feet. The model is not changed by it.
 */
export function imitationLoss(
  networks: DreamerNetworks,
  p: Parameters,
  batch: SequenceTensors,
  { features }: Observed,
): Tensor | undefined {
  if (!batch.demonstrated) return undefined;
  const [T, B] = batch.observation.shape;
  // What led to the next moment was done in this one.
  const next = (x: Tensor) => slice(rows(x), 0, B, T * B);
  const here = stopGradient(slice(features, 0, 0, (T - 1) * B));
  const away = square(sub(networks.policy(p, here).mode, next(batch.action)));
  return mean(mul(next(batch.demonstrated), sum(away, { axes: [1], keepDims: true })));
}
