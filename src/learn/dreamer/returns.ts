import { add, mul, type Tensor } from '../../tensor/index.js';

/**
 * λ-returns, backwards in time (Sutton and Barto, 12.2; DreamerV3, eq. 6):
 *
 *     Gₜ = rₜ₊₁ + cₜ₊₁ ((1 − λₜ₊₁) vₜ₊₁ + λₜ₊₁ Gₜ₊₁),   G_T = v_T
 *
 * @param reward for each step but the first what arrived with it, rₜ₊₁, [rows, 1] each
 * @param carry cₜ₊₁: discount times the chance that the episode goes on
 * @param value vₜ₊₁ to bootstrap from
 * @param lambda λₜ₊₁; a tensor where it differs, as at the ends of episodes
 * @returns G for every step but the last
 */
export function lambdaReturns(
  reward: readonly Tensor[],
  carry: readonly Tensor[],
  value: readonly Tensor[],
  lambda: number | readonly Tensor[],
): Tensor[] {
  const returns: Tensor[] = [];
  let next = value.at(-1)!;
  for (let t = reward.length - 1; t >= 0; t--) {
    const share = typeof lambda === 'number' ? lambda : lambda[t];
    const towardsReturn = add(value[t], mul(add(next, mul(value[t], -1)), share));
    next = add(reward[t], mul(carry[t], towardsReturn));
    returns.unshift(next);
  }
  return returns;
}
