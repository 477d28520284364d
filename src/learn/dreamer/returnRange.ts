/**
 * The range that dreamt returns span, from the 5th to the 95th percentile, averaged over updates (DreamerV3, eq. 7).
 * Dividing by it, but never by less than one, makes one entropy bonus fit sparse and dense rewards.
 */
export class ReturnRange {
  private low = 0;
  private high = 0;

  /** @param rate of the exponential average */
  constructor(private readonly rate: number) {}

  get scale(): number {
    return Math.max(1, this.high - this.low);
  }

  follow(returns: Float32Array): void {
    const sorted = returns.slice().sort();
    this.low += this.rate * (percentile(sorted, 0.05) - this.low);
    this.high += this.rate * (percentile(sorted, 0.95) - this.high);
  }

  /** Both percentiles as float32, for checkpoints. */
  get state(): number[] {
    return [this.low, this.high];
  }

  set state([low, high]: number[]) {
    this.low = low;
    this.high = high;
  }
}

/** Between neighbours linearly. */
function percentile(sorted: Float32Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (at - below) * (next - sorted[below]);
}
