import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import zstd from '@foxglove/wasm-zstd';
import { type IWritable, McapWriter } from '@mcap/core';
import { UserError } from '../base/errors.js';
import { packageInfo } from '../base/packageInfo.js';
import { definitionText } from '../ros/definitions.js';
import type { Time } from '../ros/types.js';

/** About half a second of a quadruped at 500 Hz: what a crash loses at most. */
const CHUNK_BYTES = 256 * 1024;
const SYNC_MS = 1000;

/** Nanoseconds since 1970, as MCAP counts. */
export function nanoseconds({ sec, nanosec }: Time): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nanosec);
}

/** Written at once and in order, so that what a killed process has handed over is in the file. */
class SyncFile implements IWritable {
  private readonly fd: number;
  private at = 0;
  private syncedAt_ms = performance.now();

  constructor(path: string) {
    this.fd = openSync(path, 'wx');
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.fd, bytes, done);
    this.at += bytes.length;
    // A power cut loses no more than this.
    if (performance.now() - this.syncedAt_ms < SYNC_MS) return;
    fdatasyncSync(this.fd);
    this.syncedAt_ms = performance.now();
  }

  position(): bigint {
    return BigInt(this.at);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/**
 * An MCAP file of ROS 2 messages, in chunks compressed with zstd. It blocks while it writes: it
 * belongs into a thread of its own.
 */
export class RecordingFile {
  private readonly file: SyncFile;
  private readonly writer: McapWriter;
  private readonly channels = new Map<string, { id: number; sequence: number }>();
  messages = 0;

  private constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.file = new SyncFile(path);
    this.writer = new McapWriter({
      writable: this.file,
      chunkSize: CHUNK_BYTES,
      compressChunk: (data) => ({ compression: 'zstd', compressedData: zstd.compress(data) }),
    });
  }

  /**
   * @param metadata by name, each a map of texts; written before anything else
   * @throws UserError where the file is there already
   */
  static async create(
    path: string,
    metadata: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): Promise<RecordingFile> {
    if (existsSync(path)) throw new UserError(`${path}: is there already; a recording is never written over`);
    await zstd.isLoaded;
    const recording = new RecordingFile(path);
    await recording.writer.start({ profile: 'ros2', library: `reverie ${packageInfo.version}` });
    for (const [name, values] of Object.entries(metadata))
      await recording.writer.addMetadata({ name, metadata: new Map(Object.entries(values)) });
    return recording;
  }

  get bytes(): number {
    return Number(this.file.position());
  }

  /**
   * @param captured when it was measured, @param received when it reached whoever recorded it
   * @throws Error with `code` ENOSPC where the disk is full
   */
  async write(
    topic: string,
    type: string,
    message: Uint8Array,
    captured: bigint,
    received: bigint,
  ): Promise<void> {
    let channel = this.channels.get(topic);
    if (!channel) {
      channel = { id: await this.register(topic, type), sequence: 0 };
      this.channels.set(topic, channel);
    }
    await this.writer.addMessage({
      channelId: channel.id,
      sequence: channel.sequence++,
      logTime: received,
      publishTime: captured,
      data: message,
    });
    this.messages++;
  }

  /** Takes a message over from another file as it is, whoever made it. */
  async copy(
    channel: { readonly topic: string; readonly messageEncoding: string },
    schema: { readonly name: string; readonly encoding: string; readonly data: Uint8Array } | undefined,
    message: { readonly sequence: number; logTime: bigint; publishTime: bigint; data: Uint8Array },
  ): Promise<void> {
    const { topic, messageEncoding } = channel;
    let known = this.channels.get(topic);
    if (!known) {
      const schemaId = schema ? await this.writer.registerSchema(schema) : 0;
      const id = await this.writer.registerChannel({ topic, schemaId, messageEncoding, metadata: new Map() });
      known = { id, sequence: 0 };
      this.channels.set(topic, known);
    }
    const { sequence, logTime, publishTime, data } = message;
    await this.writer.addMessage({ channelId: known.id, sequence, logTime, publishTime, data });
    this.messages++;
  }

  /** Writes what is left and the index. */
  async close(): Promise<void> {
    await this.writer.end();
    this.file.close();
  }

  /** Gives up after a write failed: what was written stays, for `recover`. */
  abandon(): void {
    this.file.close();
  }

  private async register(topic: string, type: string): Promise<number> {
    const data = new TextEncoder().encode(definitionText(type));
    const schemaId = await this.writer.registerSchema({ name: type, encoding: 'ros2msg', data });
    return this.writer.registerChannel({ topic, schemaId, messageEncoding: 'cdr', metadata: new Map() });
  }
}
