import { z } from 'zod';
import { encodeBatch, recordBytes } from './experience.js';
import type { Link } from './link.js';
import { MalformedMessage, Refusals } from './refusals.js';
import type { Spool } from './spool.js';
import { type RunTopics, robotTopics, runTopics } from './topics.js';

export interface SenderOptions {
  readonly site: string;
  readonly robot: string;
  readonly run: string;
  /** Sent again when nothing was stored for this long. */
  readonly resendAfter_s?: number;
  /** Another learner is asked for when one was silent for this long. */
  readonly reassignAfter_s?: number;
  readonly onNotice?: (line: string) => void;
}

/** A learner's answer to a robot, on its `stored` topic. */
export const storedSchema = z.union([
  z.object({
    learner: z.string().min(1),
    spool: z.string(),
    life: z.int().nonnegative(),
    next: z.int().nonnegative(),
  }),
  z.object({ learner: z.string().min(1), refused: z.string() }),
]);

const BATCH = 64;
/** Transitions under way before the first of them is stored. */
const WINDOW = 8 * BATCH;
/** A transition waits this long for others to fill a batch. */
const GATHER_S = 0.5;
const LOOK_MS = 100;
const JOIN_S = 1;

/**
 * The robot's end of experience: sends what is in the spool in batches, and keeps each transition
 * there until the learner says that it has stored it. A broker's acknowledgement means nothing here:
 * it is given before anything is durable. After silence or a reconnect, everything not stored goes
 * out again. One life of the spool after the other, so that order is kept over restarts.
 *
 * A robot asks its run for a learner and stays with the one that answers, over restarts of either:
 * that one alone knows what it has stored.
 */
export class ExperienceSender {
  private sent = { life: 0, next: 0 };
  private gathering_ms = Date.now();
  private progress_ms = Date.now();
  /** Word of the learner, or when there was last nothing that it could have answered. */
  private heard_ms = Date.now();
  private joined_ms = 0;
  private connections = 0;
  private readonly resendAfter_ms: number;
  private readonly reassignAfter_ms: number;
  private readonly topics: RunTopics;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly link: Link,
    private readonly spool: Spool,
    private readonly options: SenderOptions,
  ) {
    this.resendAfter_ms = 1e3 * (options.resendAfter_s ?? 2);
    this.reassignAfter_ms = 1e3 * (options.reassignAfter_s ?? 30);
    this.topics = runTopics(options.site, options.run);
    this.timer = setInterval(() => this.send(), LOOK_MS);
  }

  static async create(link: Link, spool: Spool, options: SenderOptions): Promise<ExperienceSender> {
    const sender = new ExperienceSender(link, spool, options);
    const refusals = new Refusals(options.onNotice ?? (() => {}));
    const { stored } = robotTopics(options.site, options.robot);
    await link.subscribe(stored, (payload) => {
      refusals.guard(stored, () => sender.stored(payload, refusals));
    });
    return sender;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private send(): void {
    const { link, spool } = this;
    const now_ms = Date.now();
    const backlog = spool.backlog;
    if (!link.connected || !backlog) {
      this.progress_ms = this.heard_ms = now_ms;
      return;
    }
    if (this.orphaned && now_ms - this.joined_ms > 1e3 * JOIN_S) {
      this.joined_ms = now_ms;
      link.publish(this.topics.join(this.options.robot), JSON.stringify({ spool: spool.id }));
    }
    if (spool.learner === undefined) return;
    const { life, oldest, end } = backlog;
    const again =
      link.connections !== this.connections ||
      life !== this.sent.life ||
      (this.sent.next > oldest && now_ms - this.progress_ms > this.resendAfter_ms);
    if (again) {
      this.connections = link.connections;
      this.sent = { life, next: oldest };
      this.progress_ms = now_ms;
    }
    this.sent.next = Math.max(this.sent.next, oldest);
    this.sendUpTo(end, now_ms);
  }

  private sendUpTo(end: number, now_ms: number): void {
    const { link, spool } = this;
    if (this.sent.next >= end) this.gathering_ms = now_ms;
    while (this.sent.next < end) {
      const { life, next } = this.sent;
      const oldest = spool.backlog?.oldest ?? next;
      if (next - oldest >= WINDOW) return;
      const mayGrow = life === spool.life && now_ms - this.gathering_ms < 1e3 * GATHER_S;
      if (end - next < BATCH && mayGrow) return;
      const records = spool.read(life, next, BATCH);
      if (records.length === 0) return;
      const header = { spool: spool.id, life, first: next, oldest };
      const topic = this.topics.experience(spool.learner!, this.options.robot);
      link.publish(topic, encodeBatch(header, records, spool.sizes));
      this.sent.next += records.length / recordBytes(spool.sizes);
      this.gathering_ms = now_ms;
    }
  }

  /** Nobody has what is in the spool in hand. */
  private get orphaned(): boolean {
    return this.spool.learner === undefined || Date.now() - this.heard_ms > this.reassignAfter_ms;
  }

  private stored(payload: Buffer, refusals: Refusals): void {
    const answer = parseStored(payload);
    const { spool } = this;
    if (spool.learner !== answer.learner && !this.orphaned) return;
    this.heard_ms = Date.now();
    if ('refused' in answer) {
      refusals.note(`learner ${answer.learner} refuses what this robot sends: ${answer.refused}`);
      return;
    }
    if (answer.spool !== spool.id || answer.life > spool.life) return;
    if (answer.life === spool.life && answer.next > spool.added)
      throw new MalformedMessage(`more stored (${answer.next}) than was ever made (${spool.added})`);
    spool.learner = answer.learner;
    const before = spool.pending;
    spool.acknowledge(answer.life, answer.next);
    if (spool.pending < before) this.progress_ms = this.heard_ms;
  }
}

function parseStored(payload: Buffer): z.output<typeof storedSchema> {
  try {
    const result = storedSchema.safeParse(JSON.parse(payload.toString('utf8')));
    if (result.success) return result.data;
  } catch {}
  throw new MalformedMessage('expected JSON {learner, spool, life, next}');
}
