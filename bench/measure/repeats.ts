/** About how long a contender's part of a round takes: short, so that many pairs fit in. */
const ROUND_S = 0.05;

/** How often something is repeated within a round, found from how long it took before. */
export class Repeats {
  times = 1;

  /** @param each_s how long one of them took */
  took(each_s: number): void {
    this.times = Math.max(1, Math.round(ROUND_S / each_s));
  }
}
