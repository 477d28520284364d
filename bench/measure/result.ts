/** One row of a bench: what was measured, and who did it. Rates are per second. */
export interface BenchResult {
  /** What was done: `sac-256-b256`, say. Contenders for the same thing share it. */
  readonly name: string;
  /** Who did it. */
  readonly engine: string;
  readonly threads: number;
  readonly median_per_s: number;
  /** From the 10 % to the 90 % quantile of the rounds. */
  readonly spread: readonly [number, number];
  /** The median over rounds of the rate against the comparator's in the same round; null where there is none. */
  readonly ratio_to_cleanrl: number | null;
  readonly ratio_to_lean: number | null;
  /** Necessary arithmetic per second over the machine's measured matrix-product peak of as many threads. */
  readonly fraction_of_peak: number | null;
  /** The 99.9 % quantile of single calls, of every turn; null where they are not looked at one by one. */
  readonly p999_us: number | null;
}

/** What every `reverie bench … --json` prints: the machine, and a row for each contender. */
export interface BenchReport<Row = BenchResult> {
  readonly machine: string;
  readonly results: readonly Row[];
}
