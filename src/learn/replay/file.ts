import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { UserError } from '../../base/errors.js';
import { writeFileAtomic } from '../../base/files.js';
import { type RecordLayout, readSequence, Word, writeSequence } from './record.js';

/**
 * The ring on disk: a header of 64 bytes, then slot after slot.
 *
 * | byte | what |
 * |---|---|
 * | 0 | magic "RVREPLAY" |
 * | 8 | version, observation size, action size, words in a record, capacity: uint32 each |
 * | 28 | CRC-32 of the 28 bytes before |
 * | 32 | sequence number of the last record written out (two words), its CRC-32 |
 *
 * The first 32 bytes are written once. Records carry their own sequence numbers and checksums, so
 * the ring is whole without the number at byte 32: that only tells how many records a truncated file
 * has lost.
 */
const HEADER_BYTES = 64;
const MAGIC = 'RVREPLAY';
const VERSION = 1;
const COMMITTED_AT = 32;
/** Records whose checksums are made and written in one call; bounds what a truncated write can tear. */
const CHUNK_BYTES = 4 << 20;

/** What was found in a file. */
export interface Recovery {
  /** Intact transitions. */
  readonly records: number;
  /** Transitions that the file should hold and does not: torn, cut off or with a wrong checksum. */
  readonly lost: number;
  /** Sequence number of the newest intact one: how many had been stored when it was. */
  readonly added: number;
}

export class ReplayFile {
  private readonly fd: number;
  private readonly slotBytes: number;
  private readonly bytes: Uint8Array;

  /**
   * Opens a ring file, or makes it.
   * @param words the ring in memory, [capacity · layout.words]; `recover` fills it
   * @throws UserError where the file is not a replay file or holds other transitions; it is then untouched
   */
  constructor(
    readonly path: string,
    private readonly layout: RecordLayout,
    private readonly capacity: number,
    private readonly words: Uint32Array,
  ) {
    this.slotBytes = 4 * layout.words;
    this.bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    try {
      if (!existsSync(path)) writeFileAtomic(path, this.header());
      this.fd = openSync(path, 'r+');
    } catch (error) {
      throw new UserError(`${path}: cannot be opened (${(error as NodeJS.ErrnoException).code})`);
    }
    try {
      this.checkHeader();
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
  }

  private header(): Uint8Array {
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    const bytes = new Uint8Array(header.buffer);
    bytes.set(Buffer.from(MAGIC, 'latin1'));
    const { contract, words } = this.layout;
    [VERSION, contract.observation, contract.action, words, this.capacity].forEach((v, i) => {
      header.setUint32(8 + 4 * i, v, true);
    });
    header.setUint32(28, crc32(bytes.subarray(0, 28)), true);
    return bytes;
  }

  private checkHeader(): void {
    const bytes = new Uint8Array(HEADER_BYTES);
    const got = readSync(this.fd, bytes, 0, HEADER_BYTES, 0);
    const refuse = (why: string) => new UserError(`${this.path}: ${why}; the file was left as it is`);
    if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== MAGIC)
      throw refuse(`not a replay file (it does not start with "${MAGIC}")`);
    const view = new DataView(bytes.buffer);
    if (got < HEADER_BYTES || view.getUint32(28, true) !== crc32(bytes.subarray(0, 28)))
      throw refuse('the header of this replay file is damaged, nothing in it can be recovered');
    const [version, observation, action, , capacity] = [8, 12, 16, 20, 24].map((at) =>
      view.getUint32(at, true),
    );
    if (version !== VERSION)
      throw refuse(`replay file of format version ${version}, this program reads version ${VERSION}`);
    const { contract } = this.layout;
    if (observation !== contract.observation || action !== contract.action)
      throw refuse(
        `holds transitions of ${observation} observations and ${action} actions, ` +
          `expected ${contract.observation} and ${contract.action}`,
      );
    if (capacity !== this.capacity)
      throw refuse(`holds up to ${capacity} transitions, a capacity of ${this.capacity} was asked for`);
  }

  /** Reads what is intact into memory; empties every other slot there. The file is not changed. */
  recover(): Recovery {
    const { words, layout, capacity } = this;
    const onDisk = Math.max(0, fstatSync(this.fd).size - HEADER_BYTES);
    const wanted = Math.min(onDisk, this.bytes.length);
    for (let at = 0; at < wanted; ) {
      const got = readSync(this.fd, this.bytes, at, Math.min(CHUNK_BYTES, wanted - at), HEADER_BYTES + at);
      if (got === 0) break;
      at += got;
    }
    let added = 0;
    for (let slot = 0; slot < capacity; slot++) {
      const sequence = this.intactSequence(slot);
      if (sequence === 0) words.fill(0, slot * layout.words, (slot + 1) * layout.words);
      added = Math.max(added, sequence);
    }
    let records = 0;
    for (let slot = 0; slot < capacity; slot++) {
      const sequence = readSequence(words, slot * layout.words + Word.sequence);
      // A whole lap behind: its place was taken by a record that is now lost.
      if (sequence !== 0 && sequence <= added - capacity)
        words.fill(0, slot * layout.words, (slot + 1) * layout.words);
      else if (sequence !== 0) records++;
    }
    const expected = Math.min(capacity, Math.max(added, this.readCommitted()));
    return { records, lost: expected - records, added };
  }

  /** The slot's sequence number, or 0 where it is empty or damaged. */
  private intactSequence(slot: number): number {
    const start = slot * this.layout.words;
    const sequence = readSequence(this.words, start + Word.sequence);
    if (sequence === 0 || (sequence - 1) % this.capacity !== slot) return 0;
    return this.words[start + Word.crc] === this.checksum(slot) ? sequence : 0;
  }

  private checksum(slot: number): number {
    const start = slot * this.slotBytes;
    return crc32(this.bytes.subarray(start + 4, start + this.slotBytes));
  }

  private readCommitted(): number {
    const bytes = new Uint8Array(12);
    readSync(this.fd, bytes, 0, 12, COMMITTED_AT);
    const words = new Uint32Array(bytes.buffer);
    return words[2] === crc32(bytes.subarray(0, 8)) ? readSequence(words, 0) : 0;
  }

  /** Writes the records of sequence numbers after `from` up to `to`, and notes `to` in the header. */
  write(from: number, to: number): void {
    // More than a lap waiting: only the last lap still exists.
    let at = Math.max(from, to - this.capacity);
    const chunk = Math.max(1, Math.floor(CHUNK_BYTES / this.slotBytes));
    while (at < to) {
      const slot = at % this.capacity;
      const count = Math.min(to - at, this.capacity - slot, chunk);
      for (let s = slot; s < slot + count; s++)
        this.words[s * this.layout.words + Word.crc] = this.checksum(s);
      this.writeSlots(slot, count);
      at += count;
    }
    this.commit(to);
  }

  /** Empties, in memory and on disk, the slots of the records after `to` up to `from`. */
  erase(from: number, to: number): void {
    for (let at = Math.max(to, from - this.capacity); at < from; at++) {
      const slot = at % this.capacity;
      this.words.fill(0, slot * this.layout.words, (slot + 1) * this.layout.words);
      this.writeSlots(slot, 1);
    }
    this.commit(to);
  }

  private writeSlots(slot: number, count: number): void {
    const start = slot * this.slotBytes;
    this.put(this.bytes.subarray(start, start + count * this.slotBytes), HEADER_BYTES + start);
  }

  private commit(sequence: number): void {
    const words = new Uint32Array(3);
    writeSequence(words, 0, sequence);
    const bytes = new Uint8Array(words.buffer);
    words[2] = crc32(bytes.subarray(0, 8));
    this.put(bytes, COMMITTED_AT);
  }

  private put(bytes: Uint8Array, position: number): void {
    try {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.fd, bytes, at, bytes.length - at, position + at);
    } catch (error) {
      throw new UserError(`${this.path}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  sync(): void {
    fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}
