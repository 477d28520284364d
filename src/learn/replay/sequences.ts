import { UserError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import type { ReplayContract } from './record.js';
import type { Replay } from './replay.js';

/** Sequences for a learner that remembers: time first, [length, batch, ..]. Allocated once, filled by `sample`. */
export class SequenceBatch {
  /** What was seen. */
  readonly observation: Float32Array;
  /** What was executed before it, and what that was rewarded with; 0 where an episode starts. */
  readonly action: Float32Array;
  readonly reward: Float32Array;
  /** 1 where an episode starts, or what came before is not known. */
  readonly first: Float32Array;
  /** 1 where the task ended. A time-out is no end. */
  readonly terminal: Float32Array;
  /** 1 where the action before it was shown by somebody. */
  readonly demonstrated: Float32Array;
  /** [length, batch]: slot of the transition that sets out from here; −1 at the last step of an episode. */
  readonly slot: Int32Array;
  /** [batch]: slot of the transition that led to the first step, or −1 where nothing is known of it. */
  readonly before: Int32Array;

  constructor(
    readonly length: number,
    readonly batch: number,
    contract: ReplayContract,
  ) {
    const steps = length * batch;
    this.observation = new Float32Array(steps * contract.observation);
    this.action = new Float32Array(steps * contract.action);
    this.reward = new Float32Array(steps);
    this.first = new Float32Array(steps);
    this.terminal = new Float32Array(steps);
    this.demonstrated = new Float32Array(steps);
    this.slot = new Int32Array(steps);
    this.before = new Int32Array(batch);
  }
}

/** Starts that are drawn before all of them are looked through. */
const DRAWS = 20;
const NONE = -1;

/**
 * A moment of a stream, as a number: what was seen at the start of the transition in a slot, 2 · slot, or
 * at the end of an episode's last one, 2 · slot + 1. An episode of n transitions has n + 1 moments.
 */
type Moment = number;
const startOf = (slot: number): Moment => 2 * slot;
const endOf = (slot: number): Moment => 2 * slot + 1;
const slotOf = (moment: Moment): number => moment >> 1;
const isEnd = (moment: Moment): boolean => (moment & 1) === 1;

/**
 * Draws sequences of a fixed number of moments from a replay. They go on from one episode of a stream to
 * the next, where `first` tells the learner to forget; a time-out or a cut ends an episode without being
 * a terminal.
 */
export class SequenceSampler {
  private found = false;

  constructor(
    private readonly replay: Replay,
    readonly length: number,
  ) {}

  /** Is there a sequence to draw? */
  get ready(): boolean {
    this.found ||= this.replay.newestSlots().some((slot) => this.endingAt(slot) !== NONE);
    return this.found;
  }

  /**
   * Fills a batch: the first rows with the newest sequences of the streams in turn, the others uniformly.
   * @param newest rows of the first kind
   * @throws UserError where no stream holds so many steps
   */
  sample(into: SequenceBatch, random: Random, newest: number): void {
    const streams = this.replay.newestSlots();
    const offset = random.integer(streams.length || 1);
    for (let row = 0; row < into.batch; row++) {
      const ending = row < newest ? this.endingAt(streams[(offset + row) % streams.length] ?? NONE) : NONE;
      this.fill(into, row, ending === NONE ? this.drawStart(random) : ending);
    }
  }

  /**
   * Fills batch after batch, until every episode was passed from its first moment on: what leads into a sequence
   * comes in a batch before. The newest episode of a stream is left out while it is shorter than a sequence.
   */
  *walk(into: SequenceBatch): Generator<void> {
    let starts = this.allStarts().filter((start) => this.replay.links.previous(slotOf(start)) < 0);
    while (starts.length > 0) {
      for (let from = 0; from < starts.length; from += into.batch) {
        const some = starts.slice(from, from + into.batch);
        for (let row = 0; row < into.batch; row++) this.fill(into, row, some[row % some.length]);
        yield;
      }
      starts = starts.map((start) => this.goingOn(start)).filter((start) => start !== NONE);
    }
  }

  /** Start of the sequence that goes on after this one in its episode; NONE where this one saw the end of both. */
  private goingOn(start: Moment): Moment {
    let moment = start;
    for (let t = 0; t < this.length; t++) {
      if (isEnd(moment)) return NONE;
      moment = this.forward(moment);
    }
    while (moment !== start && this.momentsFrom(moment, this.length) < this.length)
      moment = this.backward(moment);
    return moment === start ? NONE : moment;
  }

  /** First moment of the sequence that ends with a stream's newest moment. */
  private endingAt(slot: number): Moment {
    let moment = slot < 0 ? NONE : endOf(slot);
    for (let t = 1; t < this.length && moment !== NONE; t++) moment = this.backward(moment);
    return moment;
  }

  private drawStart(random: Random): Moment {
    const { replay, length } = this;
    for (let k = 0; k < DRAWS && replay.size > 0; k++) {
      const moment = startOf(replay.draw(random));
      if (this.momentsFrom(moment, length) === length) return moment;
    }
    const starts = this.allStarts();
    if (starts.length > 0) return starts[random.integer(starts.length)];
    throw new UserError(
      `the replay holds no sequence of ${length} steps: its longest has ${this.longest()}; ` +
        'collect more before the first update, or train on shorter ones (learner: length)',
    );
  }

  private allStarts(): Moment[] {
    const { replay, length } = this;
    return Array.from({ length: replay.capacity }, (_, slot) => slot)
      .filter((slot) => replay.sequenceAt(slot) !== 0)
      .map(startOf)
      .filter((moment) => this.momentsFrom(moment, length) === length);
  }

  /** Moments of the longest stream. */
  private longest(): number {
    const { replay } = this;
    let longest = 0;
    for (let slot = 0; slot < replay.capacity; slot++)
      if (replay.sequenceAt(slot) !== 0 && replay.links.back[slot] < 0)
        longest = Math.max(longest, this.momentsFrom(startOf(slot), Number.POSITIVE_INFINITY));
    return longest;
  }

  private momentsFrom(start: Moment, most: number): number {
    let count = 0;
    for (let moment = start; moment !== NONE && count < most; moment = this.forward(moment)) count++;
    return count;
  }

  private forward(moment: Moment): Moment {
    const { next, onward } = this.replay.links;
    const slot = slotOf(moment);
    if (isEnd(moment)) return onward[slot] < 0 ? NONE : startOf(onward[slot]);
    return next[slot] < 0 ? endOf(slot) : startOf(next[slot]);
  }

  private backward(moment: Moment): Moment {
    const { next, back } = this.replay.links;
    const slot = slotOf(moment);
    if (isEnd(moment)) return startOf(slot);
    const before = back[slot];
    if (before < 0) return NONE;
    return next[before] === slot ? startOf(before) : endOf(before);
  }

  private fill(into: SequenceBatch, row: number, start: Moment): void {
    const { replay } = this;
    const { observation: O, action: A } = replay.contract;
    let moment = start;
    for (let t = 0; t < this.length; t++, moment = this.forward(moment)) {
      const slot = slotOf(moment);
      const at = t * into.batch + row;
      const end = isEnd(moment);
      const before = end ? slot : replay.links.previous(slot);
      replay.copyPart(end ? 'nextObservation' : 'observation', slot, into.observation, at * O);
      into.slot[at] = end ? NONE : slot;
      into.first[at] = before < 0 ? 1 : 0;
      into.reward[at] = before < 0 ? 0 : replay.rewardAt(before);
      into.terminal[at] = end && replay.isTerminal(slot) ? 1 : 0;
      into.demonstrated[at] = before >= 0 && replay.isDemonstrated(before) ? 1 : 0;
      if (before < 0) into.action.fill(0, at * A, (at + 1) * A);
      else replay.copyPart('action', before, into.action, at * A);
      if (t === 0) into.before[row] = before;
    }
  }
}
