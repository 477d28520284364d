import { totalmem } from 'node:os';
import { UserError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import { type Recovery, ReplayFile } from './file.js';
import { Links } from './links.js';
import {
  FLAGS_END,
  Flag,
  RecordLayout,
  type ReplayContract,
  readSequence,
  Word,
  writeSequence,
} from './record.js';
import type { ReplayBatch, Transition } from './transition.js';

export interface ReplayOptions extends ReplayContract {
  /** Transitions kept; after that the oldest gives way. */
  readonly capacity: number;
  /** γ per step. */
  readonly discount: number;
  /** Steps whose rewards are added up before bootstrapping; default 1. */
  readonly nSteps?: number;
  /** Where the ring lives on disk; without it, in memory alone. */
  readonly path?: string;
  /** Transitions that may wait in memory before they are written out; default 256. A crash loses at most these. */
  readonly flushEvery?: number;
}

interface Stream {
  episode: number;
  step: number;
  /** Sequence number of its newest transition. */
  newest: number;
  /** The next transition goes on with the episode. */
  running: boolean;
}

/**
 * Transitions in the order in which they happened, in a ring: uniform sampling with n-step returns
 * for off-policy learners. With a path, the ring is on disk as well and survives SIGKILL at any
 * moment up to the last records that were written out.
 */
export class Replay {
  readonly contract: ReplayContract;
  readonly capacity: number;
  /** What an existing file held when it was opened. */
  readonly recovery: Recovery | undefined;
  /** How the transitions follow one another. */
  readonly links: Links;
  private readonly layout: RecordLayout;
  private readonly words: Uint32Array;
  private readonly floats: Float32Array;
  private readonly gamma: number;
  private readonly nSteps: number;
  private readonly flushEvery: number;
  private readonly file: ReplayFile | undefined;
  private readonly streams = new Map<number, Stream>();
  private addedCount = 0;
  private flushed = 0;
  private live = 0;

  /** @throws UserError where `path` is no replay file or one of another contract or capacity */
  constructor(options: ReplayOptions) {
    this.contract = { observation: options.observation, action: options.action };
    this.capacity = options.capacity;
    this.gamma = options.discount;
    this.nSteps = options.nSteps ?? 1;
    this.flushEvery = options.flushEvery ?? 256;
    this.layout = new RecordLayout(this.contract);
    this.words = allocate(options, this.layout.words);
    this.floats = new Float32Array(this.words.buffer);
    this.links = new Links(this.capacity);
    if (options.path === undefined) return;
    this.file = new ReplayFile(options.path, this.layout, this.capacity, this.words);
    this.recovery = this.file.recover();
    this.addedCount = this.flushed = this.recovery.added;
    this.index();
  }

  /** Transitions that can be sampled. */
  get size(): number {
    return this.live;
  }

  /** Transitions ever stored, those that gave way included. */
  get added(): number {
    return this.addedCount;
  }

  /** Stores a transition. @throws UserError naming stream and field where a number is not finite; nothing is stored then */
  add(t: Transition): void {
    const { layout, words, floats, contract } = this;
    this.check(t.stream, 'observation', t.observation, contract.observation);
    this.check(t.stream, 'action', t.action, contract.action);
    this.check(t.stream, 'nextObservation', t.nextObservation, contract.observation);
    if (!isFiniteSingle(t.reward)) throw notFinite(t.stream, 'reward', t.reward);
    let stream = this.streams.get(t.stream);
    if (!stream) {
      stream = { episode: -1, step: 0, newest: 0, running: false };
      this.streams.set(t.stream, stream);
    }
    const slot = this.addedCount % this.capacity;
    const start = slot * layout.words;
    const first = !stream.running;
    this.links.free(slot);
    // The predecessor of a slow stream may have given way to others, or give way to this very one.
    if (stream.newest > Math.max(0, this.addedCount + 1 - this.capacity))
      this.links.join((stream.newest - 1) % this.capacity, slot, !first);
    if (first) stream.episode++;
    stream.step = first ? 0 : stream.step + 1;
    const flags =
      (t.terminal ? Flag.terminal : 0) |
      (t.truncated ? Flag.truncated : 0) |
      (t.interrupted ? Flag.interrupted : 0) |
      (t.demonstrated ? Flag.demonstrated : 0) |
      (first ? Flag.firstOfEpisode : 0);
    stream.newest = this.addedCount + 1;
    stream.running = (flags & FLAGS_END) === 0;

    if (words[start + Word.sequence] === 0 && words[start + Word.sequence + 1] === 0) this.live++;
    writeSequence(words, start + Word.sequence, ++this.addedCount);
    words[start + Word.flags] = flags;
    words[start + Word.stream] = t.stream;
    words[start + Word.episode] = stream.episode;
    words[start + Word.step] = stream.step;
    floats[start + Word.reward] = t.reward;
    floats.set(t.observation, start + layout.observation);
    floats.set(t.action, start + layout.action);
    floats.set(t.nextObservation, start + layout.nextObservation);
    if (this.file && this.addedCount - this.flushed >= Math.min(this.flushEvery, this.capacity))
      this.writeOut();
  }

  /** The stream's next transition does not follow its last one: what lay between was not recorded. */
  cut(stream: number): void {
    const state = this.streams.get(stream);
    if (state) state.running = false;
  }

  private check(stream: number, field: string, values: ArrayLike<number>, size: number): void {
    if (values.length !== size)
      throw new UserError(`stream ${stream}: ${field} has ${values.length} values, expected ${size}`);
    for (let i = 0; i < size; i++)
      if (!isFiniteSingle(values[i])) throw notFinite(stream, `${field}[${i}]`, values[i]);
  }

  /**
   * Fills rows [at, at + batch) with transitions drawn uniformly with replacement. Each adds up
   * rewards over at most n steps of its episode: γ⁰ r₀ + … + γᵏ⁻¹ rₖ₋₁, and bootstraps from where
   * they end with γᵏ, or 0 behind a terminal. A time-out, an interruption and the newest transition
   * of a running episode bootstrap from their own `nextObservation`, after fewer steps.
   * @throws RangeError when there is nothing to sample
   */
  sample(batch: number, random: Random, into: ReplayBatch, at = 0): void {
    if (this.live === 0) throw new RangeError('the replay is empty');
    const { layout, words, floats, contract, gamma } = this;
    const { next } = this.links;
    for (let row = at; row < at + batch; row++) {
      let slot = this.draw(random);
      into.slot[row] = slot;
      let start = slot * layout.words;
      copy(
        floats,
        start + layout.observation,
        into.observation,
        row * contract.observation,
        contract.observation,
      );
      copy(floats, start + layout.action, into.action, row * contract.action, contract.action);
      let reward = floats[start + Word.reward];
      let discount = gamma;
      for (let k = 1; k < this.nSteps && next[slot] >= 0; k++) {
        slot = next[slot];
        start = slot * layout.words;
        reward += discount * floats[start + Word.reward];
        discount *= gamma;
      }
      into.reward[row] = reward;
      into.discount[row] = words[start + Word.flags] & Flag.terminal ? 0 : discount;
      const nextRow = row * contract.observation;
      copy(floats, start + layout.nextObservation, into.nextObservation, nextRow, contract.observation);
    }
  }

  /**
   * The slot of a transition, drawn uniformly; there has to be one. Empty slots exist only in a ring
   * recovered from a damaged file.
   */
  draw(random: Random): number {
    const extent = Math.min(this.addedCount, this.capacity);
    for (;;) {
      const slot = random.integer(extent);
      if (this.live === extent || readSequence(this.words, slot * this.layout.words + Word.sequence) !== 0)
        return slot;
    }
  }

  /** Sequence number of the transition in a slot, 1 for the first ever stored; 0 where the slot is empty. */
  sequenceAt(slot: number): number {
    return readSequence(this.words, slot * this.layout.words + Word.sequence);
  }

  /** The slot of each stream's newest transition, streams in the order in which they came, those that gave way left out. */
  newestSlots(): number[] {
    const kept = [...this.streams.values()].filter((s) => s.newest > this.addedCount - this.capacity);
    return kept.map((s) => (s.newest - 1) % this.capacity);
  }

  /** Does the task end with the transition in this slot? */
  isTerminal(slot: number): boolean {
    return this.hasFlag(slot, Flag.terminal);
  }

  /** Was the action of the transition in this slot shown by somebody? */
  isDemonstrated(slot: number): boolean {
    return this.hasFlag(slot, Flag.demonstrated);
  }

  private hasFlag(slot: number, flag: number): boolean {
    return (this.words[slot * this.layout.words + Word.flags] & flag) !== 0;
  }

  /** All of them from the oldest to the newest. Where an episode was cut, the last before is marked as interrupted. */
  *transitions(): Generator<Transition> {
    const { layout, words, floats, capacity } = this;
    for (let i = 0; i < capacity; i++) {
      const slot = (this.addedCount + i) % capacity;
      const start = slot * layout.words;
      if (this.sequenceAt(slot) === 0) continue;
      const flags = words[start + Word.flags];
      const cut = (flags & FLAGS_END) === 0 && this.links.next[slot] < 0;
      const part = (at: number, size: number) => floats.subarray(start + at, start + at + size);
      yield {
        stream: words[start + Word.stream],
        observation: part(layout.observation, this.contract.observation),
        action: part(layout.action, this.contract.action),
        reward: floats[start + Word.reward],
        nextObservation: part(layout.nextObservation, this.contract.observation),
        terminal: (flags & Flag.terminal) !== 0,
        truncated: (flags & Flag.truncated) !== 0,
        interrupted: cut || (flags & Flag.interrupted) !== 0,
        demonstrated: (flags & Flag.demonstrated) !== 0,
      };
    }
  }

  /** The reward of the newest step of the episode that a slot belongs to. */
  lastReward(slot: number): number {
    const { next } = this.links;
    while (next[slot] >= 0) slot = next[slot];
    return this.rewardAt(slot);
  }

  rewardAt(slot: number): number {
    return this.floats[slot * this.layout.words + Word.reward];
  }

  /** Copies a part of the transition in a slot to where it is wanted. */
  copyPart(
    part: 'observation' | 'action' | 'nextObservation',
    slot: number,
    into: Float32Array,
    at: number,
  ): void {
    const { layout, contract } = this;
    const size = part === 'action' ? contract.action : contract.observation;
    copy(this.floats, slot * layout.words + layout[part], into, at, size);
  }

  /**
   * Forgets everything after the first `added` transitions, on disk too: a run that resumes from a
   * checkpoint collects those again. What they had displaced is gone.
   */
  rewind(added: number): void {
    if (added >= this.addedCount) return;
    this.writeOut();
    const { layout, words } = this;
    if (this.file) this.file.erase(this.addedCount, added);
    else
      for (let a = Math.max(added, this.addedCount - this.capacity); a < this.addedCount; a++) {
        const slot = a % this.capacity;
        words.fill(0, slot * layout.words, (slot + 1) * layout.words);
      }
    this.addedCount = this.flushed = added;
    this.index();
  }

  /** Rebuilds what is not stored: links, live count, each stream's counters. Running episodes end here. */
  private index(): void {
    const { layout, words, capacity } = this;
    this.links.clear();
    this.streams.clear();
    this.live = 0;
    // From the oldest to the newest.
    for (let i = 0; i < capacity; i++) {
      const slot = (this.addedCount + i) % capacity;
      const start = slot * layout.words;
      const sequence = readSequence(words, start + Word.sequence);
      if (sequence === 0) continue;
      this.live++;
      const id = words[start + Word.stream];
      const episode = words[start + Word.episode];
      const step = words[start + Word.step];
      const before = this.streams.get(id);
      if (before) {
        const follows = before.running && before.episode === episode && before.step + 1 === step;
        this.links.join((before.newest - 1) % capacity, slot, follows);
      }
      const running = (words[start + Word.flags] & FLAGS_END) === 0;
      this.streams.set(id, { episode, step, newest: sequence, running });
    }
    for (const stream of this.streams.values()) stream.running = false;
  }

  private writeOut(): void {
    if (this.flushed === this.addedCount) return;
    this.file?.write(this.flushed, this.addedCount);
    this.flushed = this.addedCount;
  }

  /** Everything stored so far is on the disk itself when this returns: it survives a power cut too. */
  flush(): void {
    this.writeOut();
    this.file?.sync();
  }

  close(): void {
    this.flush();
    this.file?.close();
  }
}

/** @throws UserError where the machine has not the memory */
function allocate({ capacity, observation }: ReplayOptions, words: number): Uint32Array<ArrayBuffer> {
  const bytes = 4 * capacity * words;
  // Of a container, what it may use.
  const most = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const GB = (x: number) => (x / 1e9).toFixed(1);
  const refuse = () =>
    new UserError(
      `a replay of ${capacity} transitions with observations of ${observation} numbers takes ${GB(bytes)} GB, this machine has ${GB(most)} GB; ` +
        `try ${Math.floor(most / 2 / 4 / words)} or fewer ("replay" of a recipe, or of a launch file's learner), or a smaller picture`,
    );
  if (bytes > most) throw refuse();
  try {
    return new Uint32Array(capacity * words);
  } catch (error) {
    if (error instanceof RangeError) throw refuse();
    throw error;
  }
}

/** A loop: `set(subarray)` would allocate a view for every row. */
function copy(from: Float32Array, at: number, to: Float32Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[at + i];
}

/** Still finite as the float32 that is stored. */
function isFiniteSingle(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

function notFinite(stream: number, field: string, value: number): UserError {
  return new UserError(
    `stream ${stream}: ${field} is ${value}, expected a finite float32; the transition was not stored`,
  );
}
