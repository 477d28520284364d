import { Exchange } from '../bus/exchange.js';
import { SerialWire } from '../bus/wire.js';
import { type Schedule, serialSchedule } from '../schedule.js';
import {
  BROADCAST,
  fastParts,
  framing,
  Instruction,
  type Packet,
  ping,
  read,
  statusError,
  syncRead,
  syncWrite,
  write,
} from './codec.js';
import { FEEDBACK } from './registers.js';

/** A servo's answer: its error byte, and what was asked for. */
export interface Status {
  readonly error: number;
  readonly data: Uint8Array;
}

/** A line of servos, asked and told in Protocol 2.0. */
export class DynamixelBus extends Exchange<Uint8Array, Packet> {
  /** @throws UserError naming the port and what to try */
  static async open(port: string, baud: number): Promise<DynamixelBus> {
    return new DynamixelBus(await SerialWire.open(port, baud, framing));
  }

  /** @returns model and firmware */
  async ping(id: number, attempts = 3): Promise<{ model: number; firmware: number } | undefined> {
    const data = (await this.one(ping(id), id, 3, attempts))?.data;
    return data && { model: data[0] | (data[1] << 8), firmware: data[2] };
  }

  /** Tries three times. @returns undefined where the servo is silent */
  async read(id: number, address: number, length: number): Promise<Uint8Array | undefined> {
    return (await this.one(read(id, address, length), id, length))?.data;
  }

  /** Tries three times. @returns undefined where it is done, else why not */
  async write(id: number, address: number, data: readonly number[]): Promise<string | undefined> {
    const status = await this.one(write(id, address, data), id, 0);
    if (!status) return 'no answer';
    return statusError(status.error).message || undefined;
  }

  /** Of all in one question. @param fast one answer of all, where their firmware knows it */
  async readAll(
    ids: readonly number[],
    address: number,
    length: number,
    fast = false,
  ): Promise<Map<number, Status>> {
    const question = syncRead(ids, address, length, fast);
    if (!fast) {
      const answers = await this.ask(question, ids, ofLength(length));
      return new Map([...answers].map(([id, packet]) => [id, statusOf(packet)]));
    }
    const answer = (await this.ask(question, [BROADCAST], ofFast)).get(BROADCAST);
    const parts =
      answer &&
      fastParts(
        answer,
        ids.map(() => length),
      );
    return new Map(parts?.map(({ id, error, data }) => [id, { error, data }]));
  }

  private async one(
    request: Uint8Array,
    id: number,
    length: number,
    attempts = 3,
  ): Promise<Status | undefined> {
    // A refusal comes without the data that was asked for.
    const keyOf = (packet: Packet) => ofLength(length)(packet) ?? refusal(packet);
    const answer = await this.insist(request, id, keyOf, attempts);
    return answer && statusOf(answer);
  }
}

const statusOf = ({ params }: Packet): Status => ({ error: params[0], data: params.subarray(1) });

/** A line that echoes gives back the request too, which is no status. */
const ofLength =
  (length: number) =>
  ({ id, instruction, params }: Packet): number | undefined =>
    instruction === Instruction.status && params.length === length + 1 ? id : undefined;

const refusal = ({ id, instruction, params }: Packet): number | undefined =>
  instruction === Instruction.status && params.length === 1 && (params[0] & 0x7f) !== 0 ? id : undefined;

const ofFast = ({ id, instruction }: Packet) =>
  id === BROADCAST && instruction === Instruction.status ? BROADCAST : undefined;

/** All goals out in one packet, all samples in by another. */
export function cycleOf(servos: number, fast: boolean): Schedule {
  const ids = Array.from({ length: servos }, (_, i) => i);
  const goals = syncWrite(
    ids,
    0,
    4,
    ids.map(() => [0, 0, 0, 0]),
  ).length;
  const question = syncRead(ids, FEEDBACK.address, FEEDBACK.length, fast).length;
  const answers = fast ? 8 + servos * (FEEDBACK.length + 4) : servos * (11 + FEEDBACK.length);
  return serialSchedule(goals + question + answers, servos, 1);
}
