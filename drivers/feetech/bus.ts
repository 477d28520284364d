import { Exchange } from '../bus/exchange.js';
import { SerialWire } from '../bus/wire.js';
import { type Schedule, serialSchedule } from '../schedule.js';
import { encode, framing, Instruction, OVERHEAD, type Packet, ping, read, write } from './codec.js';
import { FEEDBACK } from './registers.js';

/** A line of servos, asked and told in Feetech's packets. */
export class FeetechBus extends Exchange<Uint8Array, Packet> {
  /** @throws UserError naming the port and what to try */
  static async open(port: string, baud: number): Promise<FeetechBus> {
    return new FeetechBus(await SerialWire.open(port, baud, framing));
  }

  /** @param length of the answer's parameters: a line that echoes gives back the request, whose length differs */
  askAll(request: Uint8Array, ids: readonly number[], length: number): Promise<Map<number, Packet>> {
    return this.ask(request, ids, ofLength(length));
  }

  async ping(id: number): Promise<boolean> {
    return (await this.insist(ping(id), id, ofLength(0), 1)) !== undefined;
  }

  /** Tries three times. @returns undefined where the servo is silent */
  async read(id: number, address: number, length: number): Promise<Uint8Array | undefined> {
    return (await this.insist(read(id, address, length), id, ofLength(length)))?.params;
  }

  /** Tries three times. @returns false where the servo does not confirm */
  async write(id: number, address: number, data: readonly number[]): Promise<boolean> {
    return (await this.insist(write(id, address, data), id, ofLength(0))) !== undefined;
  }
}

const ofLength =
  (length: number) =>
  ({ id, params }: Packet): number | undefined =>
    params.length === length ? id : undefined;

/** All goals out in one packet, all samples in by another. */
export function cycleOf(servos: number): Schedule {
  const goals = encode(0, Instruction.syncWrite, [0, 0]).length + 3 * servos;
  const question = encode(0, Instruction.syncRead, [0, 0]).length + servos;
  return serialSchedule(goals + question + servos * (OVERHEAD + FEEDBACK.length), servos, 1);
}
