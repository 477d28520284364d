import type { Wire } from './wire.js';

/** Longest that an answer may take in a running cycle; beyond it a drive counts as silent. */
export const CYCLE_ANSWER_MS = 12;
/** The same while nothing moves and nobody is in a hurry. */
export const PATIENT_ANSWER_MS = 200;

interface Question<In> {
  readonly wanted: ReadonlySet<number>;
  readonly keyOf: (frame: In) => number | undefined;
  readonly got: Map<number, In>;
  readonly done: () => void;
}

/** Questions and their answers, one after the other: on a half-duplex line nobody else may speak meanwhile. */
export class Exchange<Out, In> {
  /** Answers that did not come, frames of nobody who was asked, answers that came twice. */
  readonly counts = { silent: 0, strangers: 0, twice: 0 };
  /** Longest that an answer may take, ms. */
  patience_ms = PATIENT_ANSWER_MS;
  private waiting: Question<In> | undefined;

  constructor(readonly wire: Wire<Out, In>) {
    wire.onFrame = (frame) => this.take(frame);
  }

  /**
   * Sends and waits until all that is wanted has come, or the time is over.
   * @param wanted who has to answer, by the numbers that `keyOf` gives
   * @param keyOf whose answer a frame is; undefined for none to this question
   * @returns the answers that came
   */
  async ask(
    request: Out,
    wanted: readonly number[],
    keyOf: (frame: In) => number | undefined,
    timeout_ms = this.patience_ms,
  ): Promise<Map<number, In>> {
    const got = new Map<number, In>();
    this.wire.settle();
    if (wanted.length > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout_ms);
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        this.waiting = { wanted: new Set(wanted), keyOf, got, done };
        // Without a port nobody will answer, and the cycle keeps its pace all the same.
        this.wire.write(request);
      });
    this.waiting = undefined;
    this.counts.silent += wanted.length - got.size;
    return got;
  }

  /** One answer from one drive, asked for up to three times. */
  async insist(
    request: Out,
    id: number,
    keyOf: (frame: In) => number | undefined,
    attempts = 3,
  ): Promise<In | undefined> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = (await this.ask(request, [id], keyOf)).get(id);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** For what has no answer. */
  tell(request: Out): void {
    this.wire.write(request);
  }

  private take(frame: In): void {
    const { waiting } = this;
    const key = waiting?.keyOf(frame);
    if (!waiting || key === undefined || !waiting.wanted.has(key)) {
      this.counts.strangers++;
      return;
    }
    if (waiting.got.has(key)) this.counts.twice++;
    waiting.got.set(key, frame);
    if (waiting.got.size === waiting.wanted.size) waiting.done();
  }
}
