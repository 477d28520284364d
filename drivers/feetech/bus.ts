import { Framer } from '../framing.js';
import type { Schedule } from '../schedule.js';
import type { SerialLine } from '../serial/line.js';
import { encode, framing, Instruction, OVERHEAD, type Packet, ping, read, write } from './codec.js';
import { FEEDBACK } from './registers.js';

/** Longest that an answer may take in a running cycle; beyond it a servo counts as silent. */
export const CYCLE_ANSWER_MS = 12;
/** The same while nothing moves and nobody is in a hurry. */
export const PATIENT_ANSWER_MS = 200;

/** Requests and answers, one after the other: on a half-duplex line nobody else may speak meanwhile. */
export class FeetechBus {
  /** Answers that did not come, frames of nobody who was asked, answers that came twice. */
  readonly counts = { silent: 0, strangers: 0, twice: 0 };
  /** Longest that an answer may take, ms. */
  patience_ms = PATIENT_ANSWER_MS;
  private readonly framer = new Framer(framing);
  private waiting:
    | {
        readonly ids: Set<number>;
        readonly length: number;
        readonly got: Map<number, Packet>;
        done: () => void;
      }
    | undefined;

  constructor(readonly line: SerialLine) {
    line.onData = (bytes) => this.framer.push(bytes, (packet) => this.take(packet));
  }

  /** Bytes that belonged to no good frame. */
  get strays(): number {
    return this.framer.strays;
  }

  /**
   * Sends and waits until all of `ids` have answered with `length` bytes, or the time is over.
   * @returns the answers that came
   */
  async ask(
    request: Uint8Array,
    ids: readonly number[],
    length: number,
    timeout_ms = this.patience_ms,
  ): Promise<Map<number, Packet>> {
    const got = new Map<number, Packet>();
    // What is left of an earlier, late answer is none to this question.
    this.framer.reset();
    if (this.line.write(request))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout_ms);
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        this.waiting = { ids: new Set(ids), length, got, done };
      });
    this.waiting = undefined;
    this.counts.silent += ids.length - got.size;
    return got;
  }

  /** No answer comes to a request to all. */
  tell(request: Uint8Array): void {
    this.line.write(request);
  }

  async ping(id: number, timeout_ms?: number): Promise<boolean> {
    return (await this.ask(ping(id), [id], 0, timeout_ms)).size > 0;
  }

  /** Tries three times unless told otherwise. @returns undefined where the servo is silent */
  async read(id: number, address: number, length: number, attempts = 3): Promise<Uint8Array | undefined> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = (await this.ask(read(id, address, length), [id], length)).get(id);
      if (answer) return answer.params;
    }
    return undefined;
  }

  /** Tries three times. @returns false where the servo does not confirm */
  async write(id: number, address: number, data: readonly number[]): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++)
      if ((await this.ask(write(id, address, data), [id], 0)).size > 0) return true;
    return false;
  }

  private take(packet: Packet): void {
    const { waiting } = this;
    // A line that echoes gives back what was sent: a request is no answer, since its length differs.
    if (!waiting?.ids.has(packet.id) || packet.params.length !== waiting.length) {
      this.counts.strangers++;
      return;
    }
    if (waiting.got.has(packet.id)) this.counts.twice++;
    waiting.got.set(packet.id, packet);
    if (waiting.got.size === waiting.ids.size) waiting.done();
  }
}

/** All goals out in one packet, all samples in by another. */
export function cycleOf(servos: number): Schedule {
  const goals = encode(0, Instruction.syncWrite, [0, 0]).length + 3 * servos;
  const question = encode(0, Instruction.syncRead, [0, 0]).length + servos;
  return { bytes: goals + question + servos * (OVERHEAD + FEEDBACK.length), answers: servos, turns: 1 };
}
