import type { Framing } from '../framing.js';

/**
 * Dynamixel Protocol 2.0: `FF FF FD 00 id length instruction parameters crc`, little-endian, length =
 * parameters + 3 after stuffing. Source: ROBOTIS e-manual, "DYNAMIXEL Protocol 2.0".
 */
export const Instruction = {
  ping: 0x01,
  read: 0x02,
  write: 0x03,
  regWrite: 0x04,
  action: 0x05,
  reboot: 0x08,
  clear: 0x10,
  status: 0x55,
  syncRead: 0x82,
  syncWrite: 0x83,
  fastSyncRead: 0x8a,
  bulkRead: 0x92,
  bulkWrite: 0x93,
  fastBulkRead: 0x9a,
} as const;

export const BROADCAST = 0xfe;
const HEADER = 7;
const MAX_LENGTH = 1024;

export interface Packet {
  readonly id: number;
  readonly instruction: number;
  /** Unstuffed, but for a reply to a fast read, which is never stuffed. Of a status the first is the error. */
  readonly params: Uint8Array;
}

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x8005 : crc << 1;
  return crc;
});

/** CRC-16 with polynomial 0x8005 from 0, most significant bit first, of bytes [from, to). */
export function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) ^ table[((crc >> 8) ^ bytes[i]) & 0xff]) & 0xffff;
  return crc;
}

/** An FD after each FF FF FD, so that no header is seen inside. */
function stuff(bytes: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    out.push(bytes[i]);
    if (i >= 2 && bytes[i - 2] === 0xff && bytes[i - 1] === 0xff && bytes[i] === 0xfd) out.push(0xfd);
  }
  return out;
}

function unstuff(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    out.push(bytes[i]);
    const end = i >= 2 && bytes[i - 2] === 0xff && bytes[i - 1] === 0xff && bytes[i] === 0xfd;
    if (end && bytes[i + 1] === 0xfd) i++;
  }
  return Uint8Array.from(out);
}

/** @throws RangeError when the packet would be longer than 1024 bytes */
export function encode(id: number, instruction: number, params: ArrayLike<number> = []): Uint8Array {
  // A reply to a fast read comes from several servos, none of which knows the bytes before its own.
  const fast = id === BROADCAST && instruction === Instruction.status;
  const body = [instruction, ...Array.from(params)];
  const stuffed = fast ? body : stuff(body);
  const length = stuffed.length + 2;
  if (length + HEADER > MAX_LENGTH)
    throw new RangeError(`a packet of ${length + HEADER} bytes, at most ${MAX_LENGTH}`);
  const frame = new Uint8Array(HEADER + length);
  frame.set([0xff, 0xff, 0xfd, 0x00, id, length & 0xff, length >> 8]);
  frame.set(stuffed, HEADER);
  const crc = crc16(frame, 0, frame.length - 2);
  frame[frame.length - 2] = crc & 0xff;
  frame[frame.length - 1] = crc >> 8;
  return frame;
}

const header = [0xff, 0xff, 0xfd, 0x00];

export const framing: Framing<Packet> = {
  longest: MAX_LENGTH,
  look(b, at, end) {
    for (let i = 0; i < 4; i++) {
      if (at + i >= end) return 0;
      if (b[at + i] !== header[i]) return -1;
    }
    if (end - at < HEADER) return 0;
    const total = HEADER + (b[at + 5] | (b[at + 6] << 8));
    if (total < HEADER + 3 || total > MAX_LENGTH) return -1;
    if (end - at < total) return 0;
    const crc = b[at + total - 2] | (b[at + total - 1] << 8);
    return crc16(b, at, at + total - 2) === crc ? total : -1;
  },
  read(frame) {
    const id = frame[4];
    const body = frame.slice(HEADER, -2);
    const fast = id === BROADCAST && body[0] === Instruction.status;
    return { id, instruction: body[0], params: fast ? body.slice(1) : unstuff(body).slice(1) };
  },
};

const le16 = (x: number) => [x & 0xff, (x >> 8) & 0xff];

export const ping = (id: number) => encode(id, Instruction.ping);
export const read = (id: number, address: number, length: number) =>
  encode(id, Instruction.read, [...le16(address), ...le16(length)]);
export const write = (id: number, address: number, data: ArrayLike<number>) =>
  encode(id, Instruction.write, [...le16(address), ...Array.from(data)]);
export const regWrite = (id: number, address: number, data: ArrayLike<number>) =>
  encode(id, Instruction.regWrite, [...le16(address), ...Array.from(data)]);
export const action = (id: number) => encode(id, Instruction.action);
export const reboot = (id: number) => encode(id, Instruction.reboot);
/** Takes the turns out of the position of a servo in multi-turn mode. */
export const clearTurns = (id: number) => encode(id, Instruction.clear, [0x01, 0x44, 0x58, 0x4c, 0x22]);
export const status = (id: number, error: number, data: ArrayLike<number> = []) =>
  encode(id, Instruction.status, [error, ...Array.from(data)]);

/** @param fast one reply packet of all servos, where their firmware knows it */
export const syncRead = (ids: readonly number[], address: number, length: number, fast = false) =>
  encode(BROADCAST, fast ? Instruction.fastSyncRead : Instruction.syncRead, [
    ...le16(address),
    ...le16(length),
    ...ids,
  ]);

/** @param data one array of `length` bytes for each id */
export const syncWrite = (
  ids: readonly number[],
  address: number,
  length: number,
  data: readonly ArrayLike<number>[],
) =>
  encode(BROADCAST, Instruction.syncWrite, [
    ...le16(address),
    ...le16(length),
    ...ids.flatMap((id, i) => [id, ...Array.from(data[i])]),
  ]);

export interface BulkItem {
  readonly id: number;
  readonly address: number;
  readonly length: number;
}
export const bulkRead = (items: readonly BulkItem[], fast = false) =>
  encode(
    BROADCAST,
    fast ? Instruction.fastBulkRead : Instruction.bulkRead,
    items.flatMap(({ id, address, length }) => [id, ...le16(address), ...le16(length)]),
  );
export const bulkWrite = (items: readonly { id: number; address: number; data: ArrayLike<number> }[]) =>
  encode(
    BROADCAST,
    Instruction.bulkWrite,
    items.flatMap(({ id, address, data }) => [
      id,
      ...le16(address),
      ...le16(data.length),
      ...Array.from(data),
    ]),
  );

export interface FastPart {
  readonly id: number;
  readonly error: number;
  readonly data: Uint8Array;
}

/** The parts of a reply to a fast read; the packet's checksum has covered them. @param lengths of each servo's data */
export function fastParts(packet: Packet, lengths: readonly number[]): FastPart[] | undefined {
  const { params } = packet;
  const parts: FastPart[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at + 2 + length > params.length) return undefined;
    parts.push({ error: params[at], id: params[at + 1], data: params.slice(at + 2, at + 2 + length) });
    at += 2 + length + 2; // each but the last is followed by its own checksum
  }
  return at - 2 === params.length ? parts : undefined;
}

const statusErrors = [
  '',
  'result fail',
  'instruction',
  'CRC',
  'data range',
  'data length',
  'data limit',
  'access',
];
/** What the error byte of a status says; `alert` asks for a look at the hardware error register. */
export function statusError(error: number): { readonly message: string; readonly alert: boolean } {
  const number = error & 0x7f;
  return { message: statusErrors[number] ?? `error ${number}`, alert: (error & 0x80) !== 0 };
}

const hardwareErrors = ['voltage', '', 'overheating', 'encoder', 'electrical shock', 'overload'];
/** What the hardware error register says. */
export function hardwareErrorNames(bits: number): string[] {
  return hardwareErrors.filter((name, bit) => name !== '' && bits & (1 << bit));
}
