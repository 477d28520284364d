import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type ExperienceSizes, isIntact, recordBytes } from './experience.js';

/**
 * A file of a robot's spool: a header of 40 bytes, then records as in experience.ts, one after the other.
 *
 * | byte | what |
 * |---|---|
 * | 0 | magic "RVSPOOL1" |
 * | 8 | life, observation size, action size: uint32 each; 4 bytes 0 |
 * | 24 | sequence number of the first record, uint64 |
 * | 32 | 4 bytes 0; CRC-32 of everything before |
 *
 * Its name is LIFE-FIRST.spool in decimal digits, so that names sort in the order of their records.
 */
const MAGIC = 'RVSPOOL1';
const HEADER_BYTES = 40;
const EXTENSION = '.spool';

export class Segment {
  /** Records in it. */
  count = 0;
  private unsynced = false;

  private constructor(
    readonly path: string,
    readonly life: number,
    readonly first: number,
    private readonly sizes: ExperienceSizes,
    private readonly fd: number,
  ) {}

  static isName(name: string): boolean {
    return name.endsWith(EXTENSION);
  }

  static create(folder: string, life: number, first: number, sizes: ExperienceSizes): Segment {
    const digits = (n: number, width: number) => String(n).padStart(width, '0');
    const path = join(folder, `${digits(life, 10)}-${digits(first, 16)}${EXTENSION}`);
    const segment = new Segment(path, life, first, sizes, openSync(path, 'wx+'));
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(MAGIC, 'latin1');
    [life, sizes.observation, sizes.action].forEach((n, i) => {
      header.writeUInt32LE(n, 8 + 4 * i);
    });
    header.writeBigUInt64LE(BigInt(first), 24);
    header.writeUInt32LE(crc32(header.subarray(0, 36)), 36);
    segment.write(header, 0);
    return segment;
  }

  /**
   * Opens one that an earlier life left, up to its last intact record: a kill tears the last one at
   * most, a power cut what was not synced.
   * @returns what is wrong with it where it cannot be used
   */
  static open(path: string, sizes: ExperienceSizes): Segment | string {
    const fd = openSync(path, 'r');
    const refuse = (why: string) => {
      closeSync(fd);
      return why;
    };
    const header = Buffer.alloc(HEADER_BYTES);
    const got = readSync(fd, header, 0, HEADER_BYTES, 0);
    if (got < HEADER_BYTES || header.toString('latin1', 0, 8) !== MAGIC)
      return refuse(`no spool file (it does not start with "${MAGIC}")`);
    if (header.readUInt32LE(36) !== crc32(header.subarray(0, 36))) return refuse('its header is damaged');
    const [life, observation, action] = [8, 12, 16].map((at) => header.readUInt32LE(at));
    if (observation !== sizes.observation || action !== sizes.action)
      return refuse(
        `holds transitions of ${observation} observations and ${action} actions, ` +
          `this robot and task have ${sizes.observation} and ${sizes.action}`,
      );
    const segment = new Segment(path, life, Number(header.readBigUInt64LE(24)), sizes, fd);
    segment.recover();
    return segment;
  }

  private recover(): void {
    const chunk = Buffer.alloc(1024 * recordBytes(this.sizes));
    const size = recordBytes(this.sizes);
    for (;;) {
      const got = readSync(this.fd, chunk, 0, chunk.length, this.bytes);
      for (let at = 0; at + size <= got; at += size) {
        if (!isIntact(chunk.subarray(at, at + size))) return;
        this.count++;
      }
      if (got < chunk.length) return;
    }
  }

  /** One past the sequence number of its last record. */
  get end(): number {
    return this.first + this.count;
  }

  /** Length on disk. */
  get bytes(): number {
    return HEADER_BYTES + this.count * recordBytes(this.sizes);
  }

  append(record: Buffer): void {
    // A write that failed halfway is written over by the next.
    this.write(record, this.bytes);
    this.count++;
    this.unsynced = true;
  }

  /** The records from a sequence number on, `most` of them or as many as there are. */
  read(from: number, most: number): Buffer {
    const size = recordBytes(this.sizes);
    const bytes = Buffer.alloc(Math.min(most, this.end - from) * size);
    const got = readSync(this.fd, bytes, 0, bytes.length, HEADER_BYTES + (from - this.first) * size);
    return bytes.subarray(0, got - (got % size));
  }

  /** Asks for what was written to be brought to the disk itself, in the background. */
  sync(): void {
    if (!this.unsynced) return;
    this.unsynced = false;
    fdatasync(this.fd, () => {});
  }

  close(): void {
    if (this.unsynced) fdatasyncSync(this.fd);
    closeSync(this.fd);
  }

  remove(): void {
    closeSync(this.fd);
    rmSync(this.path, { force: true });
  }

  private write(bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.fd, bytes, at, bytes.length - at, position + at);
  }
}

/** Moves a file that cannot be used out of the way, where a person finds it. */
export function setAside(path: string, folder: string): void {
  renameSync(path, join(folder, basename(path)));
}
