import { Exchange } from '../bus/exchange.js';
import { SerialWire } from '../bus/wire.js';
import { type Schedule, serialSchedule } from '../schedule.js';
import { encodeLine, framing, type OdriveLine, parseFeedback, readProperty, writeProperty } from './codec.js';

const ascii = (text: string) => Buffer.from(text, 'latin1');
/** Answers say nothing of whose they are: one question at a time, and this is its key. */
const ANSWER = 0;
/** No command of any firmware: what answers it (`UNKNOWN`) answers nothing else. Not checked against a drive. */
const MARKER = '?';
const UNKNOWN = 'unknown command';

/**
 * An ODrive on a serial line, asked in its text protocol, with checksums. A number says nothing of
 * what it answers, so an answer that comes late would be taken for that to the next question: after a
 * question without an answer a marker is sent, and nothing else is asked until its answer has come,
 * behind all that was late.
 */
export class OdriveBus extends Exchange<Uint8Array, OdriveLine> {
  private inStep = true;

  /** @throws UserError naming the port and what to try */
  static async open(port: string, baud: number): Promise<OdriveBus> {
    return new OdriveBus(await SerialWire.open(port, baud, framing));
  }

  override async ask(
    request: Uint8Array,
    wanted: readonly number[],
    keyOf: (frame: OdriveLine) => number | undefined,
  ): Promise<Map<number, OdriveLine>> {
    if (!this.inStep) {
      const marked = await super.ask(ascii(encodeLine(MARKER)), [ANSWER], isMarked);
      if (marked.size === 0) return marked;
    }
    const got = await super.ask(request, wanted, keyOf);
    this.inStep = got.size === wanted.length;
    return got;
  }

  /** @param before told in the same write; it has no answer */
  async feedback(
    axis: number,
    before = '',
  ): Promise<{ readonly turns: number; readonly turns_s: number } | undefined> {
    const request = ascii(`${before}${encodeLine(`f ${axis}`)}`);
    const line = (await this.ask(request, [ANSWER], isPair)).get(ANSWER);
    return line && 'text' in line ? parseFeedback(line.text) : undefined;
  }

  /** A number; up to three times. @returns undefined where nobody answers, or where there is no such property */
  async read(property: string, attempts = 3): Promise<number | undefined> {
    const line = await this.insist(ascii(readProperty(property)), ANSWER, isNumber, attempts);
    return line && 'text' in line ? Number(line.text) : undefined;
  }

  /** Writes, and reads what was taken. @param shown where that shows, unless in the property itself */
  async write(property: string, value: number, shown = property): Promise<number | undefined> {
    this.tell(ascii(writeProperty(property, value)));
    return this.read(shown);
  }

  say(lines: string): void {
    this.tell(ascii(lines));
  }
}

const isMarked = (line: OdriveLine) =>
  'text' in line && line.checked && line.text === UNKNOWN ? ANSWER : undefined;
/** With their checksums: damaged ones are no answer. */
const isPair = (line: OdriveLine) =>
  'text' in line && line.checked && parseFeedback(line.text) ? ANSWER : undefined;
const isNumber = (line: OdriveLine) =>
  'text' in line && line.checked && line.text !== '' && Number.isFinite(Number(line.text))
    ? ANSWER
    : undefined;

/** A goal, a question and an answer of about thirty characters for each axis, and one property a cycle. */
export function cycleOf(axes: number): Schedule {
  return serialSchedule(axes * (34 + 8 + 26) + 60, axes + 1, axes + 1);
}
