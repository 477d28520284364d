import {
  abs,
  add,
  clip,
  exp,
  log,
  logSoftmax,
  min,
  mul,
  neg,
  sign,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
} from '../../tensor/index.js';

/** symlog(x) = sign(x) ln(1 + |x|). */
export const symlog = (x: Tensor): Tensor => mul(sign(x), log(add(abs(x), 1)));

/** symexp, the inverse of symlog. */
export const symexp = (x: Tensor): Tensor => mul(sign(x), sub(exp(abs(x)), 1));

/**
 * A scalar as a distribution over bins that are spaced evenly under symlog from −20 to 20 (DreamerV3, "Critic
 * learning" and eq. 8–10). It tells magnitudes apart without being told their scale.
 *
 * The bins stand in the order 0, then the positive ones outwards, then the negative ones outwards: mirrored bins are
 * taken from one another before anything is summed, so that equal probabilities mean exactly zero. Summed from one
 * end, bins of 5 · 10⁸ would leave a rounding error far above a typical reward.
 */
export class TwoHot {
  private readonly positive: readonly number[];

  /** @param bins how many; odd */
  constructor(readonly bins: number) {
    const half = (bins - 1) / 2;
    this.positive = Array.from({ length: half }, (_, i) => Math.fround(Math.expm1((20 * (i + 1)) / half)));
  }

  /** The expected value under logits [.., bins], [.., 1]. */
  mean(logits: Tensor): Tensor {
    const { positive } = this;
    const half = positive.length;
    const axis = logits.rank - 1;
    const p = softmax(logits);
    const difference = sub(slice(p, axis, 1, 1 + half), slice(p, axis, 1 + half, 1 + 2 * half));
    return sum(mul(difference, p.graph.constant(positive, [half])), { axes: [-1], keepDims: true });
  }

  /** The two neighbouring bins of x [.., 1] with weights that have x as their mean, [.., bins]. */
  encode(x: Tensor): Tensor {
    const g = x.graph;
    const { positive, bins } = this;
    const outermost = positive.at(-1)!;
    const inside = clip(x, -outermost, outermost);
    // A bin's weight rises along the gap to its lower neighbour and falls along the gap to its upper one.
    const [lower, upper] = this.neighbours();
    const rise = mul(sub(inside, g.constant(lower.at, [bins])), g.constant(lower.slope, [bins]));
    const fall = mul(sub(g.constant(upper.at, [bins]), inside), g.constant(upper.slope, [bins]));
    return clip(min(rise, fall), 0, 1);
  }

  /** −ln p(x), with gradients into the logits alone; [.., 1]. */
  loss(logits: Tensor, target: Tensor): Tensor {
    return neg(sum(mul(target, logSoftmax(logits)), { axes: [-1], keepDims: true }));
  }

  /** For each bin where its weight starts to rise, and where it has fallen, with the slopes. */
  private neighbours(): [{ at: number[]; slope: number[] }, { at: number[]; slope: number[] }] {
    const values = [0, ...this.positive, ...this.positive.map((b) => -b)];
    const sorted = [...values].sort((a, b) => a - b);
    const edge = (value: number, by: -1 | 1) => {
      const neighbour = sorted[sorted.indexOf(value) + by];
      // At the outermost bin the weight is 1 already; the step is as long as the value, which float32 can tell apart.
      if (neighbour === undefined) return { at: value + by * Math.abs(value), slope: 1 / Math.abs(value) };
      return { at: neighbour, slope: 1 / Math.abs(value - neighbour) };
    };
    const lower = values.map((v) => edge(v, -1));
    const upper = values.map((v) => edge(v, 1));
    const columns = (edges: { at: number; slope: number }[]) => ({
      at: edges.map((e) => e.at),
      slope: edges.map((e) => e.slope),
    });
    return [columns(lower), columns(upper)];
  }
}
