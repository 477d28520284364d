import type { EmulatedDrive, EmulatedLine } from '../emulator/drive.js';
import type { WireFaults } from '../emulator/faults.js';
import { Framer, lines } from '../framing.js';
import { type CanFrame, encodeFrame, parseLine } from './slcan.js';

/** A drive on CAN. */
export interface CanDrive extends EmulatedDrive {
  /** @returns what it says to a frame on the bus; undefined where it has nothing to say */
  answer(frame: CanFrame): CanFrame | undefined;
}

/** An SLCAN adapter with drives on its bus. Two that speak at once destroy each other's frame, and both try again: both are heard. */
export class EmulatedSlcan implements EmulatedLine {
  private readonly framer = new Framer(lines(40, '\r', (line) => line));
  private open = false;

  constructor(
    readonly drives: readonly CanDrive[],
    private readonly faults: WireFaults,
  ) {}

  receive(bytes: Uint8Array): void {
    const answers: Uint8Array[] = [];
    const say = (line: string) => answers.push(Buffer.from(line, 'latin1'));
    this.framer.push(bytes, (line) => {
      if (line === 'S8\r') say(this.open ? '\u0007' : '\r');
      else if (line === 'O\r' || line === 'C\r') {
        // Closing what is not open is an error; opening twice is too.
        say(this.open === (line === 'O\r') ? '\u0007' : '\r');
        this.open = line === 'O\r';
      } else if (/^t/i.test(line)) this.transmit(line, say);
      else say('\u0007');
    });
    this.faults.apply(answers);
  }

  private transmit(line: string, say: (line: string) => void): void {
    const parsed = parseLine(line);
    if (!this.open || parsed.kind !== 'frame') {
      say('\u0007');
      return;
    }
    say('z\r');
    for (const drive of this.drives) {
      const answer = drive.powered ? drive.answer(parsed.frame) : undefined;
      if (answer && !drive.silent) say(encodeFrame(answer));
    }
  }
}
