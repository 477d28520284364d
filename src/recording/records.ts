import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import zstd from '@foxglove/wasm-zstd';
import { McapRecordBuilder, McapStreamReader, type McapTypes } from '@mcap/core';
import { UserError } from '../base/errors.js';

type Channel = McapTypes.TypedMcapRecords['Channel'];
type Schema = McapTypes.TypedMcapRecords['Schema'];
type Message = McapTypes.TypedMcapRecords['Message'];
type Metadata = McapTypes.TypedMcapRecords['Metadata'];

const MAGIC = Buffer.from([0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a]);
/** A record begins with its opcode and the length of what follows. */
const RECORD_HEAD_BYTES = 9;
const OPCODE = { chunk: 0x06, dataEnd: 0x0f } as const;
const LAST_OPCODE = 0x0f;

export type DataRecord = Channel | Schema | Message | Metadata;

/** What a scan found beside the records that it gave. */
export interface Damage {
  /** Bytes of records that are cut off or do not decompress to what they say, and of everything behind the first cut. */
  lost_bytes: number;
  /** There is a proper end. */
  complete: boolean;
}

/**
 * The records of an MCAP file up to the end of its data, one chunk in memory at a time. What is
 * damaged is left out: a chunk whose checksum is wrong alone, behind a cut-off record all the rest.
 * @param damage filled in on the way
 * @throws UserError where the file is no MCAP file at all
 */
export function* recordsOf(path: string, damage: Damage): Generator<DataRecord> {
  const fd = open(path);
  try {
    const { size } = fstatSync(fd);
    if (!MAGIC.equals(read(fd, 0, MAGIC.length))) throw new UserError(`${path}: no MCAP recording`);
    const reader = new DamagedReader();
    for (let at = MAGIC.length; at < size; ) {
      const head = read(fd, at, Math.min(RECORD_HEAD_BYTES, size - at));
      const length = head.length === RECORD_HEAD_BYTES ? Number(head.readBigUInt64LE(1)) : Number.NaN;
      const end = at + RECORD_HEAD_BYTES + length;
      if (!(end <= size) || head[0] === 0 || head[0] > LAST_OPCODE) {
        damage.lost_bytes += size - at;
        return;
      }
      if (head[0] === OPCODE.dataEnd) {
        damage.complete = true;
        return;
      }
      const records = reader.take(read(fd, at, end - at));
      if (records) yield* records;
      else if (head[0] === OPCODE.chunk) damage.lost_bytes += end - at;
      at = end;
    }
  } finally {
    closeSync(fd);
  }
}

/** A stream reader that gets over a record that it cannot read. */
class DamagedReader {
  private readonly known = new Map<string, Uint8Array>();
  private reader = this.fresh();

  /** @returns what was in a whole record, or nothing where that is damaged */
  take(bytes: Uint8Array): DataRecord[] | undefined {
    const found: DataRecord[] = [];
    try {
      this.reader.append(bytes);
      for (let record = this.reader.nextRecord(); record; record = this.reader.nextRecord()) {
        if (record.type === 'Channel' || record.type === 'Schema') this.remember(record);
        else if (record.type !== 'Message' && record.type !== 'Metadata') continue;
        found.push(record);
      }
      return found;
    } catch {
      this.reader = this.fresh();
      return undefined;
    }
  }

  private remember(record: Channel | Schema): void {
    const builder = new McapRecordBuilder();
    if (record.type === 'Channel') builder.writeChannel(record);
    else builder.writeSchema(record);
    this.known.set(`${record.type} ${record.id}`, builder.buffer.slice());
  }

  /** One that knows the channels so far. */
  private fresh(): McapStreamReader {
    const reader = new McapStreamReader({
      noMagicPrefix: true,
      decompressHandlers: { zstd: (bytes, size) => zstd.decompress(bytes, Number(size)) },
    });
    for (const bytes of this.known.values()) {
      reader.append(bytes);
      reader.nextRecord();
    }
    return reader;
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const got = readSync(fd, bytes, 0, length, at);
  return bytes.subarray(0, got);
}
