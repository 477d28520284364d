/** Buckets per factor of ten: each is 7.5 % wide. */
const PER_DECADE = 32;
/** From 1 µs to 10 s. */
const BUCKETS = 7 * PER_DECADE;

/** Seconds. */
export interface LatenessSummary {
  readonly p50_s: number;
  readonly p99_s: number;
  readonly p999_s: number;
  readonly max_s: number;
}

/** A histogram of how late ticks came, in shared memory: the control worker adds, anybody reads. */
export class LatenessHistogram {
  private readonly counts: Int32Array;
  private readonly worst: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.worst = new Float64Array(memory, 0, 1);
    this.counts = new Int32Array(memory, 8);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(8 + 4 * BUCKETS);
  }

  add(late_s: number): void {
    const bucket = Math.floor(PER_DECADE * Math.log10(Math.max(1, 1e6 * late_s)));
    this.counts[Math.min(BUCKETS - 1, bucket)]++;
    if (late_s > this.worst[0]) this.worst[0] = late_s;
  }

  /** Quantiles as the upper edge of their bucket; all 0 before the first tick. */
  summary(): LatenessSummary {
    const total = this.counts.reduce((a, b) => a + b, 0);
    const max_s = this.worst[0];
    const quantile = (q: number) => {
      let left = q * total;
      for (let b = 0; b < BUCKETS; b++) {
        left -= this.counts[b];
        if (left <= 0 && total > 0) return Math.min(max_s, 1e-6 * 10 ** ((b + 1) / PER_DECADE));
      }
      return 0;
    };
    return { p50_s: quantile(0.5), p99_s: quantile(0.99), p999_s: quantile(0.999), max_s };
  }
}
