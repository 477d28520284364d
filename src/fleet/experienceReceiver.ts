import type { Experience } from '../robot/experience.js';
import type { Cursor, CursorFile } from './cursors.js';
import { decodeBatch, type ExperienceBatch, type ExperienceSizes } from './experience.js';
import type { Link } from './link.js';
import { MalformedMessage, Refusals } from './refusals.js';
import { ANY, lastLevel, robotTopics, runTopics, shared } from './topics.js';

/** Where transitions are stored for good; the learner's replay. */
export interface ExperienceStore {
  /** Takes transitions of a robot, in order. @param gap these do not follow the ones before */
  add(stream: number, transitions: readonly Experience[], gap: boolean): void;
  /** Everything added is on the disk itself when this returns. */
  flush(): void;
  /** How many were ever added. */
  readonly added: number;
  /** Forgets all after the first `added`. */
  rewind(added: number): void;
}

export interface ReceiverOptions {
  readonly site: string;
  readonly run: string;
  readonly store: ExperienceStore;
  /** What was stored, so that a new life of the learner does not store it again. */
  readonly cursors: CursorFile;
  readonly onNotice?: (line: string) => void;
}

/** Batches are gathered for this long, stored together and brought to the disk once. */
const COMMIT_MS = 200;

/**
 * The learner's end of experience: takes each transition of each robot once and in order, and tells
 * the robot what is stored, after it is on disk. A batch that begins beyond what is expected is left
 * for the sender to repeat, unless the sender no longer has what lies between.
 *
 * Once, over a kill at any moment: the replay is flushed, then the cursors are written whole, with
 * the replay's length at that moment, then the robots are told. What the replay has beyond the
 * cursors at the next start was told to nobody, and is forgotten.
 */
export class ExperienceReceiver {
  /** Transitions stored; received again; and never received here, since their robot gave them up. */
  stored = 0;
  duplicates = 0;
  lost = 0;
  readonly refusals: Refusals;
  /** Spools that wait for word, by robot. */
  private readonly toAnswer = new Map<string, string>();
  private readonly cursors: CursorFile;
  private dirty = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly link: Link,
    private readonly sizes: ExperienceSizes,
    private readonly options: ReceiverOptions,
  ) {
    this.cursors = options.cursors;
    this.refusals = new Refusals(options.onNotice ?? (() => {}));
  }

  static async create(
    link: Link,
    sizes: ExperienceSizes,
    options: ReceiverOptions,
  ): Promise<ExperienceReceiver> {
    const { store, cursors, site, run } = options;
    if (store.added < cursors.added)
      options.onNotice?.(`${cursors.added - store.added} transitions are missing at the end of the replay`);
    store.rewind(cursors.added);
    const receiver = new ExperienceReceiver(link, sizes, options);
    const { refusals } = receiver;
    const topics = runTopics(site, run);
    const guard = (handle: (robot: string, payload: Buffer) => void) => (payload: Buffer, topic: string) => {
      const robot = lastLevel(topic);
      if (receiver.closed) return;
      refusals.guard(
        topic,
        () => handle(robot, payload),
        (refused) => receiver.answer(robot, { refused }),
      );
    };
    await link.subscribe(
      topics.experience(cursors.learner, ANY),
      guard((robot, payload) => receiver.receive(robot, payload)),
    );
    const join = topics.join(ANY);
    await link.subscribe(
      link.sharesSubscriptions ? shared(run, join) : join,
      guard((robot, payload) => receiver.join(robot, payload)),
    );
    return receiver;
  }

  /** Name of this learner; its own for as long as its folder lives. */
  get learner(): string {
    return this.cursors.learner;
  }

  get robots(): number {
    return this.cursors.robots;
  }

  private join(robot: string, payload: Buffer): void {
    this.commitSoon(robot, parseJoin(payload));
  }

  private receive(robot: string, payload: Buffer): void {
    const batch = decodeBatch(payload, this.sizes);
    const cursor = this.cursors.get(batch.spool);
    if (cursor && cursor.robot !== robot)
      throw new MalformedMessage(`forged: spool ${batch.spool} is that of robot ${cursor.robot}`);
    this.take(robot, batch, cursor);
    this.commitSoon(robot, batch.spool);
  }

  private take(
    robot: string,
    { spool, life, first, oldest, transitions }: ExperienceBatch,
    known?: Cursor,
  ): void {
    if (known && life < known.life) {
      this.duplicates += transitions.length;
      return;
    }
    // A spool first met now may have been stored up to its oldest by another learner.
    const before = known ? (life === known.life ? known.next : 0) : oldest;
    const expected = Math.max(before, oldest);
    const fresh = transitions.slice(Math.max(0, expected - first));
    this.duplicates += transitions.length - fresh.length;
    if (first > expected || fresh.length === 0) return;
    const stream = known?.stream ?? this.cursors.newStream(robot);
    const missed = expected - before;
    this.options.store.add(stream, fresh, missed > 0 || known?.life !== life);
    this.lost += missed;
    this.stored += fresh.length;
    this.cursors.set(spool, { robot, stream, life, next: expected + fresh.length });
    this.dirty = true;
  }

  private commitSoon(robot: string, spool: string): void {
    this.toAnswer.set(robot, spool);
    this.timer ??= setTimeout(() => this.commit(), COMMIT_MS);
  }

  /** Brings what came to the disk, then tells the robots. */
  commit(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.dirty) {
      this.options.store.flush();
      this.cursors.write(this.options.store.added);
      this.dirty = false;
    }
    for (const [robot, spool] of this.toAnswer) {
      // Lives count from 1: where nothing is stored, nothing is acknowledged.
      const { life, next } = this.cursors.get(spool) ?? { life: 0, next: 0 };
      this.answer(robot, { spool, life, next });
    }
    this.toAnswer.clear();
  }

  /** Stores what came, and takes no more. */
  close(): void {
    this.commit();
    this.closed = true;
  }

  private answer(robot: string, answer: object): void {
    const { stored } = robotTopics(this.options.site, robot);
    this.link.publish(stored, JSON.stringify({ learner: this.learner, ...answer }));
  }
}

/** @returns the spool that asks for a learner */
function parseJoin(payload: Buffer): string {
  try {
    const { spool } = JSON.parse(payload.toString('utf8'));
    if (/^[0-9a-f]{16}$/.test(spool)) return spool;
  } catch {}
  throw new MalformedMessage('expected JSON {spool}');
}
