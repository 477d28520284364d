import { add, div, mul, type Tensor, tanh } from '../../tensor/index.js';

/**
 * (1 − βᵗ) / `unit`: how much of an average that started at zero has been filled in after t steps. It is worked out
 * with 1 − e⁻²ˣ = 2 tanh x / (1 + tanh x): the plain form cancels to four digits in the first steps.
 * @param t steps made, a scalar
 * @param unit 1 for an average; 1 − β for a plain decayed sum
 */
export function biasCorrection(t: Tensor, beta: number, unit = 1): Tensor {
  const T = tanh(mul(t, -Math.log(beta) / 2));
  return div(mul(T, 2 / unit), add(T, 1));
}
