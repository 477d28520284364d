import { randomBytes } from 'node:crypto';
import { type Experience, type ExperienceSizes, encodeExperience } from './experience.js';
import type { Link } from './link.js';
import { MalformedMessage, Refusals } from './refusals.js';

export interface SenderOptions {
  /** Transitions kept while nobody has stored them; after that the oldest are lost, and counted. */
  readonly capacity?: number;
  /** Sent again when nothing was stored for this long. */
  readonly resendAfter_s?: number;
  readonly onNotice?: (line: string) => void;
}

const BATCH = 64;
/** Transitions under way before the first of them is stored. */
const WINDOW = 8 * BATCH;
/** A transition waits this long for others to fill a batch. */
const GATHER_S = 0.5;
const LOOK_MS = 100;

/**
 * The robot's end of experience: numbers transitions, sends them in batches, and keeps each until the
 * learner says that it has stored it. A broker's acknowledgement means nothing here: it is given
 * before anything is durable. After silence or a reconnect, everything not stored goes out again.
 */
export class ExperienceSender {
  readonly session = randomBytes(8).toString('hex');
  /** Transitions that were never stored because memory ran out. */
  lost = 0;
  private readonly kept: Experience[] = [];
  /** Sequence number of `kept[0]`. */
  private oldest = 0;
  private sent = 0;
  private gathering_ms = 0;
  private progress_ms = Date.now();
  private readonly capacity: number;
  private readonly resendAfter_ms: number;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly link: Link,
    private readonly sizes: ExperienceSizes,
    { capacity = 20_000, resendAfter_s = 2 }: SenderOptions,
  ) {
    this.capacity = capacity;
    this.resendAfter_ms = 1e3 * resendAfter_s;
    this.timer = setInterval(() => this.send(), LOOK_MS);
  }

  static async create(
    link: Link,
    sizes: ExperienceSizes,
    options: SenderOptions = {},
  ): Promise<ExperienceSender> {
    const sender = new ExperienceSender(link, sizes, options);
    const refusals = new Refusals(options.onNotice ?? (() => {}));
    const { stored } = link.topics;
    await link.subscribe(stored, (payload) => refusals.guard(stored, () => sender.stored(payload)));
    return sender;
  }

  /** Sequence number of the next transition: how many there were. */
  get added(): number {
    return this.oldest + this.kept.length;
  }

  /** Transitions that the learner has stored. */
  get acknowledged(): number {
    return this.oldest - this.lost;
  }

  add(transition: Experience): void {
    if (this.kept.length === 0) this.progress_ms = Date.now();
    if (this.sent === this.added) this.gathering_ms = Date.now();
    this.kept.push(transition);
    if (this.kept.length <= this.capacity) return;
    this.kept.shift();
    this.oldest++;
    this.lost++;
    this.sent = Math.max(this.sent, this.oldest);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private send(): void {
    const now_ms = Date.now();
    const silent = this.sent > this.oldest && now_ms - this.progress_ms > this.resendAfter_ms;
    if (!this.link.connected || silent) {
      this.sent = this.oldest;
      this.progress_ms = now_ms;
    }
    if (!this.link.connected) return;
    while (this.sent < this.added && this.sent - this.oldest < WINDOW) {
      const from = this.sent - this.oldest;
      const transitions = this.kept.slice(from, from + BATCH);
      if (transitions.length < BATCH && now_ms - this.gathering_ms < 1e3 * GATHER_S) return;
      const batch = { session: this.session, first: this.sent, oldest: this.oldest, transitions };
      this.link.publish(this.link.topics.experience, encodeExperience(batch, this.sizes));
      this.sent += transitions.length;
      this.gathering_ms = now_ms;
    }
  }

  private stored(payload: Buffer): void {
    const { session, next } = parseStored(payload);
    // Of an earlier life of this robot, or late.
    if (session !== this.session || next <= this.oldest) return;
    if (next > this.added)
      throw new MalformedMessage(`more stored (${next}) than was ever sent (${this.added})`);
    this.kept.splice(0, next - this.oldest);
    this.oldest = next;
    this.sent = Math.max(this.sent, next);
    this.progress_ms = Date.now();
  }
}

function parseStored(payload: Buffer): { session: string; next: number } {
  try {
    const { session, next } = JSON.parse(payload.toString('utf8'));
    if (typeof session === 'string' && Number.isSafeInteger(next)) return { session, next };
  } catch {}
  throw new MalformedMessage('expected JSON {session, next}');
}
