import { type Framing, sum8 } from '../framing.js';

/**
 * Feetech's protocol for STS and SMS servos: `FF FF id length instruction parameters ~sum`, length =
 * parameters + 2; a reply has the servo's error bits where a request has its instruction. Registers
 * of several bytes are little-endian. Source: Feetech, "Communication protocol manual" of the STS series.
 */
export const Instruction = {
  ping: 1,
  read: 2,
  write: 3,
  regWrite: 4,
  action: 5,
  syncRead: 0x82,
  syncWrite: 0x83,
} as const;

export const BROADCAST = 0xfe;
/** Header, id, length, instruction and checksum. */
export const OVERHEAD = 6;

export interface Packet {
  readonly id: number;
  /** Of a request; error bits (`errorNames`) of a reply. */
  readonly code: number;
  readonly params: Uint8Array;
}

/** @throws RangeError when there are more than 249 parameters */
export function encode(id: number, code: number, params: ArrayLike<number> = []): Uint8Array {
  if (params.length > 249) throw new RangeError(`${params.length} parameters, at most 249`);
  const frame = new Uint8Array(params.length + OVERHEAD);
  frame.set([0xff, 0xff, id, params.length + 2, code]);
  frame.set(params, 5);
  frame[frame.length - 1] = ~sum8(frame, 2, frame.length - 1);
  return frame;
}

export const framing: Framing<Packet> = {
  longest: 255 + 4,
  look(b, at, end) {
    if (b[at] !== 0xff) return -1;
    if (end - at < 2) return 0;
    if (b[at + 1] !== 0xff) return -1;
    if (end - at < 4) return 0;
    // A third FF belongs to the header: the frame begins one byte later.
    if (b[at + 2] === 0xff || b[at + 3] < 2) return -1;
    const length = b[at + 3] + 4;
    if (end - at < length) return 0;
    return (~sum8(b, at + 2, at + length - 1) & 0xff) === b[at + length - 1] ? length : -1;
  },
  read: (frame) => ({ id: frame[2], code: frame[4], params: frame.slice(5, -1) }),
};

export const read = (id: number, address: number, length: number) =>
  encode(id, Instruction.read, [address, length]);
export const write = (id: number, address: number, data: ArrayLike<number>) =>
  encode(id, Instruction.write, [address, ...Array.from(data)]);
export const ping = (id: number) => encode(id, Instruction.ping);
export const syncRead = (ids: readonly number[], address: number, length: number) =>
  encode(BROADCAST, Instruction.syncRead, [address, length, ...ids]);

/** @param data one array of `length` bytes for each id */
export function syncWrite(
  ids: readonly number[],
  address: number,
  length: number,
  data: readonly ArrayLike<number>[],
): Uint8Array {
  return encode(BROADCAST, Instruction.syncWrite, [
    address,
    length,
    ...ids.flatMap((id, i) => [id, ...Array.from(data[i])]),
  ]);
}

/** Sign and magnitude: the sign in bit `bit`. */
export function decodeSigned(word: number, bit: number): number {
  const magnitude = word & ((1 << bit) - 1);
  return word & (1 << bit) ? -magnitude : magnitude;
}

/** The magnitude is clipped to what fits. */
export function encodeSigned(value: number, bit: number): number {
  const rounded = Math.round(value);
  const magnitude = Math.min(Math.abs(rounded), (1 << bit) - 1);
  return rounded < 0 ? magnitude | (1 << bit) : magnitude;
}

const errors = ['voltage', 'encoder', 'overheating', 'overcurrent', '', 'overload'] as const;
export const ErrorBit = { voltage: 1, encoder: 2, overheating: 4, overcurrent: 8, overload: 32 } as const;

/** What a servo's error byte says, for people. */
export function errorNames(code: number): string[] {
  return errors.filter((name, bit) => name !== '' && code & (1 << bit));
}
