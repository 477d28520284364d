const NONE = -1;

/**
 * How the transitions of a ring follow one another, as slots; −1 where there is none. Not stored on disk:
 * it follows from what the records say of themselves.
 */
export class Links {
  /** What followed in the same episode. */
  readonly next: Int32Array;
  /** What came next from the same stream, in this episode or as the first of the one after. */
  readonly onward: Int32Array;
  /** What came before from the same stream. */
  readonly back: Int32Array;

  constructor(capacity: number) {
    this.next = new Int32Array(capacity).fill(NONE);
    this.onward = new Int32Array(capacity).fill(NONE);
    this.back = new Int32Array(capacity).fill(NONE);
  }

  /** What came before in the same episode. */
  previous(slot: number): number {
    const before = this.back[slot];
    return before >= 0 && this.next[before] === slot ? before : NONE;
  }

  /** What lay in the slot is gone. What came before it was older, and went before it. */
  free(slot: number): void {
    if (this.onward[slot] >= 0) this.back[this.onward[slot]] = NONE;
    this.next[slot] = this.onward[slot] = this.back[slot] = NONE;
  }

  /** `to` is of the same stream as `from` and the first after it. */
  join(from: number, to: number, sameEpisode: boolean): void {
    this.onward[from] = to;
    this.back[to] = from;
    if (sameEpisode) this.next[from] = to;
  }

  clear(): void {
    for (const links of [this.next, this.onward, this.back]) links.fill(NONE);
  }
}
