import type { EmulatedLine } from '../emulator/drive.js';
import type { WireFaults } from '../emulator/faults.js';
import { Framer } from '../framing.js';
import { BROADCAST, framing, Instruction, type Packet } from './codec.js';
import type { EmulatedServo } from './emulatedServo.js';

/**
 * Servos on one line: takes what a host writes and gives what it would hear. Servos of the same id
 * speak at the same moment, and the line, which any of them pulls low, carries the AND of their bytes.
 */
export class FeetechEmulator implements EmulatedLine {
  private readonly framer = new Framer(framing);

  constructor(
    readonly drives: readonly EmulatedServo[],
    private readonly faults: WireFaults,
  ) {}

  receive(bytes: Uint8Array): void {
    const answers: Uint8Array[] = [];
    this.framer.push(bytes, (packet) => answers.push(...this.answers(packet)));
    this.faults.apply(answers);
  }

  private answers(packet: Packet): Uint8Array[] {
    const { id, code, params } = packet;
    if (code === Instruction.syncWrite && id === BROADCAST) {
      this.syncWrite(params);
      return [];
    }
    if (code === Instruction.syncRead && id === BROADCAST) {
      const [address, length, ...ids] = params;
      const question = { code: Instruction.read, params: Uint8Array.of(address, length) };
      return ids.flatMap((servo) => this.of(servo, { id: servo, ...question }));
    }
    if (id !== BROADCAST) return this.of(id, packet);
    for (const servo of this.listening) servo.answer(packet);
    return [];
  }

  private of(id: number, packet: Packet): Uint8Array[] {
    const answers = this.listening
      .filter((s) => s.id === id)
      .flatMap((s) => {
        const answer = s.answer(packet);
        return answer && !s.silent ? [answer] : [];
      });
    return answers.length === 0 ? [] : [answers.reduce((a, b) => a.map((byte, i) => byte & (b[i] ?? 255)))];
  }

  private syncWrite(params: Uint8Array): void {
    const [address, length] = params;
    for (let at = 2; at + length < params.length; at += 1 + length)
      for (const servo of this.listening)
        if (servo.id === params[at]) servo.store(address, params.subarray(at + 1, at + 1 + length));
  }

  private get listening(): EmulatedServo[] {
    return this.drives.filter((s) => s.powered);
  }
}
