import { Exchange } from '../bus/exchange.js';
import { SerialWire } from '../bus/wire.js';
import { canSchedule, type Schedule } from '../schedule.js';
import {
  decodeReply,
  encodeData,
  encodeSend,
  type FdcanusbLine,
  framing,
  type Read,
  Register,
  type Write,
} from './codec.js';

/** The host's own id. */
export const HOST = 0;

/** What a drive says in a cycle. */
export interface MoteusFeedback {
  readonly mode: number;
  readonly position_rev: number;
  readonly velocity_rev_s: number;
  readonly torque_nm: number;
  readonly voltage_v: number;
  readonly temperature_c: number;
  readonly fault: number;
}

const QUERY: readonly Read[] = [
  { register: Register.mode, kind: 'float', count: 4 },
  { register: Register.voltage, kind: 'int8', count: 3 },
];
const VOLT = 0.5;

/** Drives behind an fdcanusb: each frame to one is answered by `OK`, and by what it asked for. */
export class MoteusBus extends Exchange<Uint8Array, FdcanusbLine> {
  /** @throws UserError naming the port and what to try */
  static async open(port: string, baud: number): Promise<MoteusBus> {
    return new MoteusBus(await SerialWire.open(port, baud, framing));
  }

  /** Writes to each and asks what it measures. @param writes one list for each of `ids` */
  async query(
    ids: readonly number[],
    writes: readonly (readonly Write[])[],
  ): Promise<Map<number, MoteusFeedback>> {
    const text = ids.map((id, i) => encodeSend(HOST, id, encodeData(writes[i], QUERY))).join('');
    const answers = await this.ask(Buffer.from(text, 'latin1'), ids, sourceOf);
    return new Map(
      [...answers].flatMap(([id, line]) => {
        const feedback = line.kind === 'received' ? decodeFeedback(line.data) : undefined;
        return feedback ? [[id, feedback] as const] : [];
      }),
    );
  }

  /** The same for one drive, up to three times. */
  async insistOn(id: number, writes: readonly Write[], attempts = 3): Promise<MoteusFeedback | undefined> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = (await this.query([id], [writes])).get(id);
      if (answer) return answer;
    }
    return undefined;
  }

  /** Whole numbers of 32 bits. @returns undefined where the drive is silent */
  async read(
    id: number,
    register: number,
    count: number,
    attempts = 3,
  ): Promise<readonly number[] | undefined> {
    const data = encodeData([], [{ register, kind: 'int32', count }]);
    const request = Buffer.from(encodeSend(HOST, id, data), 'latin1');
    const line = await this.insist(request, id, sourceOf, attempts);
    if (line?.kind !== 'received') return undefined;
    return decodeReply(line.data)?.find((v) => v.register === register)?.values;
  }
}

const sourceOf = (line: FdcanusbLine) => (line.kind === 'received' ? line.source : undefined);

function decodeFeedback(data: Uint8Array): MoteusFeedback | undefined {
  const values = new Map<number, number>();
  for (const { register, values: found } of decodeReply(data) ?? [])
    for (const [i, value] of found.entries()) values.set(register + i, value);
  const of = (register: number) => values.get(register) ?? Number.NaN;
  if (!values.has(Register.mode) || !values.has(Register.fault)) return undefined;
  return {
    mode: of(Register.mode),
    position_rev: of(Register.position),
    velocity_rev_s: of(Register.velocity),
    torque_nm: of(Register.torque),
    voltage_v: of(Register.voltage) * VOLT,
    temperature_c: of(Register.temperature),
    fault: of(Register.fault),
  };
}

/** A CAN-FD frame of 48 bytes and one of 24 at 1 and 5 Mbit/s last as long as one and a half classic frames each. */
const FRAMES_PER_DRIVE = 3;

export function cycleOf(drives: number): Schedule {
  return canSchedule(FRAMES_PER_DRIVE * drives, drives, 1);
}
