/** A message that is not what its topic carries. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** Messages that were refused: each counted, each reason said once. */
export class Refusals {
  readonly counts = new Map<string, number>();

  constructor(private readonly say: (line: string) => void) {}

  /** Runs a handler; what it refuses is counted. @returns undefined where it refused */
  guard<T>(topic: string, handle: () => T): T | undefined {
    try {
      return handle();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      const key = `${topic}: ${error.message}`;
      const count = (this.counts.get(key) ?? 0) + 1;
      this.counts.set(key, count);
      if (count === 1) this.say(`message refused: ${key}`);
      return undefined;
    }
  }
}
