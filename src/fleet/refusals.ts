/** A message that is not what its topic carries. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** Reasons that are told apart; a stranger that invents ever new ones must not fill the memory. */
const MOST_REASONS = 1000;

/** Messages that were refused: each counted, each reason said once. */
export class Refusals {
  readonly counts = new Map<string, number>();
  total = 0;

  constructor(private readonly say: (line: string) => void) {}

  /** Runs a handler; what it refuses is counted. @returns undefined where it refused */
  guard<T>(topic: string, handle: () => T, onRefusal?: (reason: string) => void): T | undefined {
    try {
      return handle();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.note(`message refused: ${topic}: ${error.message}`);
      onRefusal?.(error.message);
      return undefined;
    }
  }

  /** Counts; says it where it is new. */
  note(line: string): void {
    this.total++;
    const count = this.counts.get(line) ?? 0;
    if (count === 0 && this.counts.size >= MOST_REASONS) return;
    this.counts.set(line, count + 1);
    if (count === 0) this.say(line);
  }
}
