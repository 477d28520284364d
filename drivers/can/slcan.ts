import { type Framing, lines } from '../framing.js';

/** CAN over a serial line, as text (Lawicel's protocol, which slcand and most USB adapters speak). */
export interface CanFrame {
  readonly id: number;
  readonly extended: boolean;
  readonly data: Uint8Array;
}

export type SlcanReply =
  | { readonly kind: 'frame'; readonly frame: CanFrame }
  | { readonly kind: 'ok' }
  | { readonly kind: 'error' }
  | { readonly kind: 'unknown' };

export const OPEN_1_MBIT = ['C\r', 'S8\r', 'O\r'] as const;
export const CLOSE = 'C\r';

/** @throws RangeError for an id or a length that CAN does not have */
export function encodeFrame({ id, extended, data }: CanFrame): string {
  const highest = extended ? 0x1fffffff : 0x7ff;
  if (!Number.isInteger(id) || id < 0 || id > highest)
    throw new RangeError(`CAN id ${id}, at most ${highest}`);
  if (data.length > 8) throw new RangeError(`${data.length} bytes in a CAN frame, at most 8`);
  const address = id
    .toString(16)
    .toUpperCase()
    .padStart(extended ? 8 : 3, '0');
  const bytes = Buffer.from(data).toString('hex').toUpperCase();
  return `${extended ? 'T' : 't'}${address}${data.length}${bytes}\r`;
}

/** A line of either side, with what ends it. */
export function parseLine(line: string): SlcanReply {
  if (line === '\r' || line === 'z\r' || line === 'Z\r') return { kind: 'ok' };
  if (line.endsWith('\u0007')) return { kind: 'error' };
  // An adapter may put four digits of time behind the data.
  const match = /^(?:t([0-7][0-9a-f]{2})|T([01][0-9a-f]{7}))([0-8])((?:[0-9a-f]{2})*)\r$/i.exec(line);
  if (!match) return { kind: 'unknown' };
  const [, short, long, count, hex] = match;
  const length = Number(count);
  if (hex.length !== 2 * length && hex.length !== 2 * length + 4) return { kind: 'unknown' };
  const data = Uint8Array.from(Buffer.from(hex.slice(0, 2 * length), 'hex'));
  return {
    kind: 'frame',
    frame: { id: Number.parseInt(short ?? long, 16), extended: long !== undefined, data },
  };
}

export const framing: Framing<SlcanReply> = lines(40, '\r\u0007', parseLine);
