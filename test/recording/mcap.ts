import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { decompress } from 'fzstd';

/**
 * A reader of MCAP that shares nothing with what writes it: after the specification
 * (https://mcap.dev/spec), with another library's zstd and the checksums of Node.
 */
export interface ForeignMessage {
  readonly topic: string;
  readonly type: string;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Buffer;
}

export interface ForeignFile {
  readonly messages: readonly ForeignMessage[];
  readonly metadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly schemas: ReadonlyMap<string, string>;
  readonly compressions: ReadonlySet<string>;
  /** Messages that the summary counts, or −1 without one. */
  readonly counted: number;
}

class Fields {
  at = 0;
  constructor(readonly bytes: Buffer) {}

  take(n: number): Buffer {
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }
  u16(): number {
    return this.take(2).readUInt16LE();
  }
  u32(): number {
    return this.take(4).readUInt32LE();
  }
  u64(): bigint {
    return this.take(8).readBigUInt64LE();
  }
  text(): string {
    return this.take(this.u32()).toString('utf8');
  }
  map(): Map<string, string> {
    const inside = new Fields(this.take(this.u32()));
    const found = new Map<string, string>();
    while (inside.at < inside.bytes.length) found.set(inside.text(), inside.text());
    return found;
  }
}

/** @throws Error where a length or a checksum does not fit */
export function readMcap(path: string): ForeignFile {
  const bytes = readFileSync(path);
  const schemas = new Map<string, string>();
  const types = new Map<number, string>();
  const channels = new Map<number, { topic: string; schema: number }>();
  const messages: ForeignMessage[] = [];
  const metadata = new Map<string, ReadonlyMap<string, string>>();
  const compressions = new Set<string>();
  let counted = -1;
  const walk = (data: Buffer, from: number, to: number) => {
    for (let at = from; at < to; ) {
      const length = Number(data.readBigUInt64LE(at + 1));
      const f = new Fields(data.subarray(at + 9, at + 9 + length));
      if (f.bytes.length !== length) throw new Error(`record at ${at} is cut off`);
      const op = data[at];
      if (op === 0x03) {
        const id = f.u16();
        const name = f.text();
        const encoding = f.text();
        types.set(id, name);
        schemas.set(name, `${encoding}\n${f.take(f.u32()).toString('utf8')}`);
      } else if (op === 0x04) {
        const id = f.u16();
        const schema = f.u16();
        channels.set(id, { schema, topic: f.text() });
      } else if (op === 0x05) {
        const { topic, schema } = channels.get(f.u16())!;
        f.u32();
        const logTime = f.u64();
        const publishTime = f.u64();
        const rest = f.take(length - f.at);
        messages.push({ topic, type: types.get(schema)!, logTime, publishTime, data: Buffer.from(rest) });
      } else if (op === 0x06) {
        f.take(16);
        const size = Number(f.u64());
        const checksum = f.u32();
        compressions.add(f.text());
        const inside = Buffer.from(decompress(f.take(Number(f.u64()))));
        if (inside.length !== size || crc32(inside) !== checksum) throw new Error('a chunk is damaged');
        walk(inside, 0, inside.length);
      } else if (op === 0x0b) counted = Number(f.u64());
      else if (op === 0x0c) {
        const name = f.text();
        metadata.set(name, f.map());
      }
      at += 9 + length;
    }
  };
  const magic = bytes.subarray(0, 8).toString('latin1');
  if (magic !== '\x89MCAP0\r\n' || bytes.subarray(-8).toString('latin1') !== magic)
    throw new Error('it does not begin and end as MCAP does');
  walk(bytes, 8, bytes.length - 8);
  return { messages, metadata, schemas, compressions, counted };
}

/** Names and positions of a JointState, by the rules of CDR. */
export function jointPositions(data: Buffer): { names: string[]; positions: number[] } {
  const body = data.subarray(4);
  let at = 8;
  const align = (n: number) => {
    at = Math.ceil(at / n) * n;
  };
  const text = () => {
    align(4);
    const length = body.readUInt32LE(at);
    at += 4 + length;
    return body.subarray(at - length, at - 1).toString('utf8');
  };
  text();
  align(4);
  const count = body.readUInt32LE(at);
  at += 4;
  const names = Array.from({ length: count }, text);
  align(4);
  const numbers = body.readUInt32LE(at);
  at += 4;
  align(8);
  return { names, positions: Array.from({ length: numbers }, (_, i) => body.readDoubleLE(at + 8 * i)) };
}
