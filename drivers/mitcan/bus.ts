import { Exchange } from '../bus/exchange.js';
import type { CanFrame } from '../can/slcan.js';
import { type CanWire, openCan } from '../can/wire.js';
import { canSchedule, type Schedule } from '../schedule.js';
import { decodeFeedback, encodeSpecial, type MitFeedback, type MitRange } from './codec.js';
import { parseRegister, readRegister, writeRegister } from './registers.js';

/** Drives on a CAN bus: every frame to a drive is answered by one from it. */
export class MitBus extends Exchange<readonly CanFrame[], CanFrame> {
  /** @throws UserError naming the port and what to try */
  static async open(transport: 'slcan' | 'socketcan', port: string, baud: number): Promise<MitBus> {
    return new MitBus(await openCan(transport, port, baud));
  }

  private constructor(wire: CanWire) {
    super(wire);
  }

  /** @param frames one to each of `ids` */
  async feedback(
    frames: readonly CanFrame[],
    ids: readonly number[],
    range: MitRange,
  ): Promise<Map<number, MitFeedback>> {
    const answers = await this.ask(frames, ids, feedbackId);
    return new Map([...answers].map(([id, { data }]) => [id, decodeFeedback(data, range)!]));
  }

  /** Tries three times. */
  async special(
    what: 'enable' | 'disable' | 'clear',
    id: number,
    range: MitRange,
  ): Promise<MitFeedback | undefined> {
    const answer = await this.insist([toDrive(id, encodeSpecial(what))], id, feedbackId);
    return answer && decodeFeedback(answer.data, range);
  }

  /** @returns undefined where the drive is silent */
  async read(id: number, register: number, attempts = 3): Promise<number | undefined> {
    const answer = await this.insist([readRegister(id, register)], id, registerId(register), attempts);
    return answer && parseRegister(answer.data)?.value;
  }

  /** @returns what the drive took; undefined where it is silent */
  async write(id: number, register: number, value: number): Promise<number | undefined> {
    const answer = await this.insist([writeRegister(id, register, value)], id, registerId(register));
    return answer && parseRegister(answer.data)?.value;
  }
}

export function toDrive(id: number, data: Uint8Array): CanFrame {
  return { id, extended: false, data };
}

/** Replies come under the id of the host, which is set in the drive and may be any; the first byte says whose they are. */
const feedbackId = ({ data }: CanFrame) => (data.length === 8 ? data[0] & 15 : undefined);

const registerId =
  (register: number) =>
  ({ data }: CanFrame): number | undefined => {
    const parsed = parseRegister(data);
    return parsed?.register === register ? parsed.id : undefined;
  };

/** A frame to each drive, and one from it. */
export function cycleOf(drives: number): Schedule {
  return canSchedule(2 * drives, drives, 1);
}
