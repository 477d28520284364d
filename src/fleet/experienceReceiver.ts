import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../base/files.js';
import { decodeExperience, type Experience, type ExperienceSizes } from './experience.js';
import type { Link } from './link.js';
import { Refusals } from './refusals.js';

export interface ReceiverOptions {
  /** Takes transitions in order, each once, and returns when they are stored for good. `gap`: these do not follow the ones before. */
  readonly store: (transitions: readonly Experience[], gap: boolean) => void;
  /** Where to remember what was stored, so that a new life of the learner does not store it again. */
  readonly path: string;
  readonly onNotice?: (line: string) => void;
}

/**
 * The learner's end of experience: takes each transition of a session once and in order, and tells
 * the robot what is stored, after it is. A batch that begins beyond what is expected is left for the
 * sender to repeat, unless the sender no longer has what lies between.
 */
export class ExperienceReceiver {
  /** Transitions stored, told again, and never received. */
  stored = 0;
  duplicates = 0;
  lost = 0;
  readonly refusals: Refusals;
  /** Whose transitions were stored last. */
  private latest: string | undefined;
  /** Next sequence number of each session. */
  private readonly next: Map<string, number>;

  private constructor(
    private readonly link: Link,
    private readonly sizes: ExperienceSizes,
    private readonly options: ReceiverOptions,
  ) {
    this.refusals = new Refusals(options.onNotice ?? (() => {}));
    const { path } = options;
    this.next = new Map(existsSync(path) ? Object.entries(JSON.parse(readFileSync(path, 'utf8'))) : []);
  }

  static async create(
    link: Link,
    sizes: ExperienceSizes,
    options: ReceiverOptions,
  ): Promise<ExperienceReceiver> {
    const receiver = new ExperienceReceiver(link, sizes, options);
    const { experience } = link.topics;
    await link.subscribe(experience, (payload) => {
      receiver.refusals.guard(experience, () => receiver.receive(payload));
    });
    return receiver;
  }

  private receive(payload: Buffer): void {
    const { session, first, oldest, transitions } = decodeExperience(payload, this.sizes);
    const known = this.next.get(session);
    // A session first met now may have been stored up to its oldest by another learner.
    const expected = Math.max(known ?? oldest, oldest);
    const fresh = transitions.slice(Math.max(0, expected - first));
    this.duplicates += transitions.length - fresh.length;
    if (first <= expected && fresh.length > 0) {
      const missed = known === undefined ? 0 : expected - known;
      this.options.store(fresh, missed > 0 || session !== this.latest);
      this.latest = session;
      this.lost += missed;
      this.stored += fresh.length;
      this.next.set(session, expected + fresh.length);
      writeFileAtomic(this.options.path, JSON.stringify(Object.fromEntries(this.next)));
    }
    const next = this.next.get(session);
    if (next !== undefined) this.link.publish(this.link.topics.stored, JSON.stringify({ session, next }));
  }
}
