import zstd from '@foxglove/wasm-zstd';
import { decode } from '../ros/codec.js';
import { RecordingFile } from './file.js';
import { type Damage, recordsOf } from './records.js';
import { topics } from './topics.js';

export interface Recovery {
  /** That were begun and not discarded. */
  readonly episodes: number;
  readonly messages: number;
  /** Of the original, that hold nothing that could be read. */
  readonly lost_bytes: number;
  /** Where all that could be read was written. */
  readonly out: string;
}

/**
 * Copies what can be read of a recording into a new file with a proper end. The original is only read.
 * @throws UserError where it is no MCAP file, or `out` is there already
 */
export async function recover(path: string, out: string): Promise<Recovery> {
  await zstd.isLoaded;
  const damage: Damage = { lost_bytes: 0, complete: false };
  const types = new Map<number, { name: string; data: Uint8Array; encoding: string }>();
  const channels = new Map<number, { topic: string; schemaId: number; messageEncoding: string }>();
  const kept = new Set<number>();
  let file: RecordingFile | undefined;
  const metadata: Record<string, Record<string, string>> = {};
  // Metadata stands before the first message in what the recorder writes.
  const opened = async () => {
    file ??= await RecordingFile.create(out, metadata);
    return file;
  };
  for (const record of recordsOf(path, damage)) {
    if (record.type === 'Metadata') metadata[record.name] = Object.fromEntries(record.metadata);
    else if (record.type === 'Schema') types.set(record.id, record);
    else if (record.type === 'Channel') channels.set(record.id, record);
    else {
      const channel = channels.get(record.channelId)!;
      const schema = types.get(channel.schemaId);
      await (await opened()).copy(channel, schema, record);
      if (channel.topic !== topics.episodes.topic) continue;
      const { kind, episode, outcome } = decode(topics.episodes.type, record.data);
      if (outcome === 'discard') kept.delete(episode);
      else if (kind === 'begin') kept.add(episode);
    }
  }
  const written = await opened();
  await written.close();
  return { episodes: kept.size, messages: written.messages, lost_bytes: damage.lost_bytes, out };
}
