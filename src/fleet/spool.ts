import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import type { Experience } from '../robot/experience.js';
import { type ExperienceSizes, isIntact, recordBytes, writeRecord } from './experience.js';
import { lock } from './lock.js';
import { Segment, setAside } from './segment.js';

export interface SpoolOptions {
  /** Most that it takes of the disk; then the oldest segment is given up, and counted. */
  readonly maxBytes?: number;
  readonly segmentBytes?: number;
  readonly onNotice?: (line: string) => void;
}

const identitySchema = z.strictObject({
  schema: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  life: z.int().positive(),
});
type Identity = z.output<typeof identitySchema>;

const FILES = { identity: 'spool.json', learner: 'learner', lock: 'lock', aside: 'set-aside' } as const;
const SYNC_MS = 1000;

/** What is to be sent next: one life at a time, the oldest first. */
export interface Backlog {
  readonly life: number;
  /** Sequence numbers of the oldest that nobody has acknowledged, and one past the newest. */
  readonly oldest: number;
  readonly end: number;
}

/**
 * A robot's transitions on its own disk, from the step that made them until a learner has stored
 * them: what `add` has taken survives SIGKILL. A power cut may take the last second: files are
 * brought to the disk itself once a second, in the background, and when a segment is full.
 *
 * Bounded: beyond `maxBytes` the oldest segment goes, since the newest experience is that of the
 * newest policy. Every life counts its transitions from 0 again: after a power cut, numbers must not
 * be given twice.
 */
export class Spool {
  /** Transitions of this life; never acknowledged and given up, of any; not finite, and not taken. */
  added = 0;
  lost = 0;
  invalid = 0;
  private readonly segments: Segment[] = [];
  private readonly record: Buffer;
  private readonly maxBytes: number;
  private readonly segmentBytes: number;
  private readonly say: (line: string) => void;
  private readonly timer: NodeJS.Timeout;
  private assigned: string | undefined;
  /** Where acknowledgement has come to in the oldest life. */
  private cursor = { life: 0, next: 0 };

  private constructor(
    private readonly folder: string,
    readonly sizes: ExperienceSizes,
    private readonly identity: Identity,
    { maxBytes = 256 << 20, segmentBytes = 1 << 20, onNotice }: SpoolOptions,
  ) {
    this.record = Buffer.alloc(recordBytes(sizes));
    this.maxBytes = maxBytes;
    this.segmentBytes = Math.min(segmentBytes, maxBytes / 2);
    this.say = onNotice ?? (() => {});
    this.timer = setInterval(() => this.segments.at(-1)?.sync(), SYNC_MS).unref();
  }

  /**
   * Opens a spool, or makes it. What does not belong to this robot and task is set aside.
   * @throws UserError where another process has it open, or its files cannot be read
   */
  static open(folder: string, sizes: ExperienceSizes, options: SpoolOptions = {}): Spool {
    mkdirSync(join(folder, FILES.aside), { recursive: true });
    lock(join(folder, FILES.lock));
    const before = readIdentity(folder);
    const identity: Identity = before
      ? { ...before, life: before.life + 1 }
      : { schema: 1, id: randomBytes(8).toString('hex'), life: 1 };
    writeFileAtomic(join(folder, FILES.identity), JSON.stringify(identity));
    const spool = new Spool(folder, sizes, identity, options);
    spool.recover();
    return spool;
  }

  private recover(): void {
    const learner = join(this.folder, FILES.learner);
    if (existsSync(learner)) this.assigned = readFileSync(learner, 'utf8') || undefined;
    for (const name of readdirSync(this.folder).filter(Segment.isName).sort()) {
      const path = join(this.folder, name);
      const segment = Segment.open(path, this.sizes);
      if (typeof segment === 'string') {
        this.say(`${path}: ${segment}; set aside in ${FILES.aside}/`);
        setAside(path, join(this.folder, FILES.aside));
      } else if (segment.count === 0) segment.remove();
      else this.segments.push(segment);
    }
  }

  get id(): string {
    return this.identity.id;
  }

  get life(): number {
    return this.identity.life;
  }

  /** The learner that takes what is in here; remembered, since it alone knows what it has stored. */
  get learner(): string | undefined {
    return this.assigned;
  }

  /** Not waited for on the platter: where a power cut takes it, a learner is asked for again. */
  set learner(learner: string) {
    if (learner === this.assigned) return;
    this.assigned = learner;
    writeFileSync(join(this.folder, FILES.learner), learner);
  }

  /** Transitions that nobody has acknowledged yet. */
  get pending(): number {
    return this.segments.reduce((sum, s) => sum + s.end - this.startOf(s), 0);
  }

  get bytes(): number {
    return this.segments.reduce((sum, s) => sum + s.bytes, 0);
  }

  /** What was not acknowledged of the oldest life that has such; undefined where all is. */
  get backlog(): Backlog | undefined {
    const head = this.segments.find((s) => s.end > this.startOf(s));
    if (!head) return undefined;
    let end = head.end;
    for (const s of this.segments) if (s.life === head.life) end = s.end;
    return { life: head.life, oldest: this.startOf(head), end };
  }

  /** Takes a transition. It is in the file, if not on the platter, when this returns. */
  add(transition: Experience): void {
    if (!writeRecord(transition, this.sizes, this.record)) {
      if (this.invalid++ === 0) this.say('a transition that is not finite was not kept');
      return;
    }
    while (this.segments.length > 1 && this.bytes + this.record.length > this.maxBytes) this.giveUpOldest();
    try {
      this.append();
    } catch (error) {
      // A full disk: room is made once; if that does not help, this transition is lost.
      if (this.segments.length > 1) this.giveUpOldest();
      try {
        this.append();
      } catch {
        if (this.lost++ === 0)
          this.say(`spool: cannot be written (${(error as NodeJS.ErrnoException).code})`);
      }
    }
  }

  private append(): void {
    let last = this.segments.at(-1);
    if (!last || last.life !== this.life || last.bytes + this.record.length > this.segmentBytes) {
      last?.sync();
      last = Segment.create(this.folder, this.life, this.added, this.sizes);
      this.segments.push(last);
    }
    last.append(this.record);
    this.added++;
  }

  /**
   * Intact records of a life from a sequence number on, at most as many. A damaged one at the front
   * is given up.
   */
  read(life: number, from: number, most: number): Buffer {
    const segment = this.segments.find((s) => s.life === life && s.first <= from && from < s.end);
    if (!segment) return Buffer.alloc(0);
    const bytes = segment.read(from, most);
    const size = this.record.length;
    let intact = 0;
    while (intact < bytes.length && isIntact(bytes.subarray(intact, intact + size))) intact += size;
    if (intact === 0 && from === this.backlog?.oldest) {
      this.lost++;
      this.acknowledge(life, from + 1);
    }
    return bytes.subarray(0, intact);
  }

  /** Everything of earlier lives and of this one before `next` is stored for good elsewhere. */
  acknowledge(life: number, next: number): void {
    if (life < this.cursor.life || (life === this.cursor.life && next <= this.cursor.next)) return;
    this.cursor = { life, next };
    const full = (s: Segment) => s !== this.segments.at(-1) || s.life !== this.life;
    for (const s of [...this.segments])
      if (this.startOf(s) === s.end && full(s)) this.segments.splice(this.segments.indexOf(s), 1)[0].remove();
  }

  /** Sequence number of the oldest in a segment that is not acknowledged; its end where all is. */
  private startOf(s: Segment): number {
    if (s.life < this.cursor.life) return s.end;
    return s.life > this.cursor.life ? s.first : Math.min(s.end, Math.max(s.first, this.cursor.next));
  }

  private giveUpOldest(): void {
    const oldest = this.segments.shift()!;
    const unsent = oldest.end - this.startOf(oldest);
    if (this.lost === 0 && unsent > 0)
      this.say(`spool: full at ${this.maxBytes} bytes; the oldest transitions are lost`);
    this.lost += unsent;
    oldest.remove();
  }

  close(): void {
    clearInterval(this.timer);
    const all = this.pending === 0;
    for (const segment of this.segments.splice(0)) {
      if (all) segment.remove();
      else segment.close();
    }
    rmSync(join(this.folder, FILES.lock), { force: true });
  }
}

function readIdentity(folder: string): Identity | undefined {
  const path = join(folder, FILES.identity);
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: not valid JSON: ${(error as Error).message}`);
  }
  return parseUserInput(identitySchema, json, path);
}
