import type { Random } from '../../base/random.js';

/**
 * Values of a dropout mask: 0 with probability `rate`, else 1 / (1 − rate). Instead of a random number for every
 * element it draws the gaps between dropped ones, which are geometric: at a rate of 0.01 a hundred times fewer.
 */
export class DropoutMask {
  private readonly keep: number;
  private readonly logKeep: number;
  private dropped: number[] = [];

  /** @param values where the mask is kept */
  constructor(
    readonly values: Float32Array,
    rate: number,
  ) {
    this.keep = 1 / (1 - rate);
    this.logKeep = Math.log1p(-rate);
    values.fill(this.keep);
  }

  /** Draws the mask anew. The result does not depend on earlier draws. */
  draw(random: Random): void {
    for (const i of this.dropped) this.values[i] = this.keep;
    this.dropped = [];
    let i = -1;
    for (;;) {
      // P(gap > k) = (1 − rate)ᵏ⁺¹
      i += 1 + Math.floor(Math.log(1 - random.uniform()) / this.logKeep);
      if (i >= this.values.length) return;
      this.values[i] = 0;
      this.dropped.push(i);
    }
  }
}
