import { type Framing, lines } from '../framing.js';

/**
 * moteus over fdcanusb: CAN-FD frames as lines of text, with registers written and read by subframes.
 * Source: mjbots, "moteus reference" (register map, subframe encoding) and fdcanusb's README.
 */
export const Register = {
  mode: 0x000,
  position: 0x001,
  velocity: 0x002,
  torque: 0x003,
  voltage: 0x00d,
  temperature: 0x00e,
  fault: 0x00f,
  commandPosition: 0x020,
  commandVelocity: 0x021,
  feedForward: 0x022,
  kpScale: 0x023,
  kdScale: 0x024,
  maxTorque: 0x025,
  watchdog: 0x027,
} as const;

/** Who a drive is: model, then firmware. */
export const Identity = { model: 0x100, firmware: 0x101 } as const;

export const Mode = { stop: 0, position: 10, timeout: 11, zeroVelocity: 12, brake: 15 } as const;

/** The kinds of number, in the order of their codes. */
const kinds = ['int8', 'int16', 'int32', 'float'] as const;
export type Kind = (typeof kinds)[number];
const sizes = [1, 2, 4, 4];

export interface Write {
  readonly register: number;
  readonly kind: Kind;
  /** Raw, for consecutive registers. */
  readonly values: readonly number[];
}
export interface Read {
  readonly register: number;
  readonly kind: Kind;
  readonly count: number;
}

const varint = (x: number): number[] => (x < 0x80 ? [x] : [(x & 0x7f) | 0x80, ...varint(x >> 7)]);

/** A count of 1 to 3 lies in the low bits of the code; a greater one follows it. */
function head(base: number, kind: Kind, count: number, register: number): number[] {
  const code = base | (kinds.indexOf(kind) << 2);
  return count >= 1 && count <= 3
    ? [code | count, ...varint(register)]
    : [code, ...varint(count), ...varint(register)];
}

function number(kind: Kind, value: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  if (kind === 'float') view.setFloat32(0, value, true);
  else if (kind === 'int32') view.setInt32(0, value, true);
  else if (kind === 'int16') view.setInt16(0, value, true);
  else view.setInt8(0, value);
  return [...new Uint8Array(view.buffer, 0, sizes[kinds.indexOf(kind)])];
}

/** The data of a CAN frame that writes and then asks. The mode is written first. */
export function encodeData(writes: readonly Write[], reads: readonly Read[] = []): Uint8Array {
  return Uint8Array.from([
    ...writes.flatMap((w) => [
      ...head(0x00, w.kind, w.values.length, w.register),
      ...w.values.flatMap((value) => number(w.kind, value)),
    ]),
    ...reads.flatMap((r) => head(0x10, r.kind, r.count, r.register)),
  ]);
}

/** The data of a reply, as a drive sends it. */
export function encodeReply(values: readonly Write[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((w) => [
      ...head(0x20, w.kind, w.values.length, w.register),
      ...w.values.flatMap((v) => number(w.kind, v)),
    ]),
  );
}

/** Registers and raw values of a reply. @returns undefined when it is no whole reply */
export function decodeReply(data: Uint8Array): Write[] | undefined {
  const frames = decodeSubframes(data);
  if (!frames || frames.some((f) => f.base !== 0x20)) return undefined;
  return frames.map(({ register, kind, values }) => ({ register, kind, values }));
}

/** What a frame to a drive writes and asks for. @returns undefined when it is no whole request */
export function decodeRequest(data: Uint8Array): { writes: Write[]; reads: Read[] } | undefined {
  const frames = decodeSubframes(data);
  if (!frames || frames.some((f) => f.base === 0x20)) return undefined;
  const writes = frames.filter((f) => f.base === 0);
  const reads = frames.filter((f) => f.base === 0x10);
  return {
    writes: writes.map(({ register, kind, values }) => ({ register, kind, values })),
    reads: reads.map(({ register, kind, count }) => ({ register, kind, count })),
  };
}

interface Subframe extends Write {
  /** 00 write, 10 read, 20 reply. */
  readonly base: number;
  readonly count: number;
}

function decodeSubframes(data: Uint8Array): Subframe[] | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const found: Subframe[] = [];
  let at = 0;
  const readVarint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 21 && at < data.length; shift += 7) {
      const byte = data[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < data.length) {
    const code = data[at++];
    if (code === 0x50) continue;
    const base = code & 0xf0;
    if (base > 0x20) return undefined;
    const index = (code >> 2) & 3;
    const count = code & 3 || readVarint();
    const register = readVarint();
    if (!count || register === undefined) return undefined;
    const values: number[] = [];
    if (base !== 0x10) {
      if (at + count * sizes[index] > data.length) return undefined;
      for (let i = 0; i < count; i++, at += sizes[index]) values.push(valueAt(view, kinds[index], at));
    }
    found.push({ base, register, kind: kinds[index], count, values });
  }
  return found;
}

function valueAt(view: DataView, kind: Kind, at: number): number {
  if (kind === 'int8') return view.getInt8(at);
  if (kind === 'int16') return view.getInt16(at, true);
  return kind === 'int32' ? view.getInt32(at, true) : view.getFloat32(at, true);
}

/** Lengths that CAN-FD has; the rest is padded with no-operations (0x50). */
const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

/** @throws RangeError when there are more bytes than a CAN-FD frame holds */
export function padded(data: Uint8Array): Uint8Array {
  const length = lengths.find((n) => n >= data.length);
  if (length === undefined) throw new RangeError(`${data.length} bytes in a CAN-FD frame, at most 64`);
  const frame = new Uint8Array(length).fill(0x50);
  frame.set(data);
  return frame;
}

export function encodeSend(source: number, destination: number, data: Uint8Array, reply = true): string {
  const id = ((source << 8) | destination | (reply ? 0x8000 : 0)).toString(16).padStart(4, '0');
  return `can send ${id} ${Buffer.from(padded(data)).toString('hex')}\n`;
}

/** A host's line, as an adapter reads it. @returns undefined where it is none that sends */
export function parseSend(
  line: string,
): { source: number; destination: number; reply: boolean; data: Uint8Array } | undefined {
  const match = /^can send ([0-9a-f]{1,8}) ((?:[0-9a-f]{2}){0,64})\s*$/i.exec(line);
  if (!match) return undefined;
  const id = Number.parseInt(match[1], 16);
  return {
    source: (id >> 8) & 0x7f,
    destination: id & 0x7f,
    reply: (id & 0x8000) !== 0,
    data: Uint8Array.from(Buffer.from(match[2], 'hex')),
  };
}

export type FdcanusbLine =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'received';
      readonly source: number;
      readonly destination: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'error' | 'unknown'; readonly text: string };

function parse(line: string): FdcanusbLine {
  const text = line.trim();
  if (text === 'OK') return { kind: 'ok' };
  if (text.startsWith('ERR')) return { kind: 'error', text };
  const match = /^rcv ([0-9a-f]{1,8}) ((?:[0-9a-f]{2}){0,64})(?: |$)/i.exec(text);
  if (!match) return { kind: 'unknown', text };
  const id = Number.parseInt(match[1], 16);
  const data = Uint8Array.from(Buffer.from(match[2], 'hex'));
  return { kind: 'received', source: (id >> 8) & 0x7f, destination: id & 0x7f, data };
}

export const framing: Framing<FdcanusbLine> = lines(256, '\n', parse);
