import zstd from '@foxglove/wasm-zstd';
import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { decode } from '../ros/codec.js';
import type { EpisodeMark, Image, JointState, PolicyStep } from '../ros/types.js';
import { type Damage, recordsOf } from './records.js';
import { IMAGE_TYPE, METADATA, topics } from './topics.js';

/** A message with its times, seconds since 1970. */
export interface Timed<T> {
  readonly captured_s: number;
  readonly received_s: number;
  readonly message: T;
}

const part = z.object({ name: z.string(), size: z.int(), unit: z.string() });
const contractSchema = z.object({
  observation: z.array(part),
  action: z.object({
    kind: z.enum(['residual', 'delta', 'approach']),
    centre_rad: z.array(z.number()),
    scale_rad: z.array(z.number()),
    share: z.number().optional(),
  }),
});

const metadataSchema = z.object({
  robot: z.string(),
  joints: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  objects: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  policy_hz: z.coerce.number().positive(),
  task: z.string(),
  contract: z.string().transform((text) => contractSchema.parse(JSON.parse(text))),
});

/** One episode of a recording: what was received while it ran, and a little before and after. */
export interface RecordedEpisode {
  readonly number: number;
  readonly task: string;
  readonly outcome: string;
  readonly operator: string;
  readonly notes: string;
  readonly begin_s: number;
  /** Infinite where the recording was cut off before its end. */
  readonly end_s: number;
  readonly steps: readonly Timed<PolicyStep>[];
  readonly joints: readonly Timed<JointState>[];
  readonly commands: readonly Timed<JointState>[];
  readonly objects: readonly Timed<Float64Array>[];
  readonly images: Readonly<Record<string, readonly Timed<Image>[]>>;
}

export interface RecordingContents {
  readonly about: z.output<typeof metadataSchema>;
  /** Those that were discarded are left out. */
  readonly episodes: readonly RecordedEpisode[];
  readonly lost_bytes: number;
}

/** What belongs to the first frame was received before the episode began. */
const MARGIN_S = 0.2;

/** The streams of a whole file. */
class Streams {
  readonly marks: Timed<EpisodeMark>[] = [];
  readonly steps: Timed<PolicyStep>[] = [];
  readonly joints: Timed<JointState>[] = [];
  readonly commands: Timed<JointState>[] = [];
  readonly objects: Timed<Float64Array>[] = [];
  readonly images: Record<string, Timed<Image>[]> = {};

  take(topic: string, logTime: bigint, publishTime: bigint, data: Uint8Array): void {
    const timed = <T>(message: T): Timed<T> => ({
      captured_s: Number(publishTime) / 1e9,
      received_s: Number(logTime) / 1e9,
      message,
    });
    const [, kind, camera] = topic.split('/');
    if (topic === topics.episodes.topic) this.marks.push(timed(decode(topics.episodes.type, data)));
    else if (topic === topics.steps.topic) this.steps.push(timed(decode(topics.steps.type, data)));
    else if (topic === topics.joints.topic) this.joints.push(timed(decode(topics.joints.type, data)));
    else if (topic === topics.commands.topic) this.commands.push(timed(decode(topics.commands.type, data)));
    else if (topic === topics.objects.topic) {
      this.objects.push(timed(Float64Array.from(decode(topics.objects.type, data).data)));
    } else if (kind === 'camera') {
      this.images[camera] ??= [];
      this.images[camera].push(timed(decode(IMAGE_TYPE, data)));
    }
  }

  /** Cut by the marks; streams by time, since a mark is written a little after what it marks. */
  episodes(): RecordedEpisode[] {
    const begins = this.marks.filter(({ message }) => message.kind === 'begin');
    return begins.map(
      ({ message: { episode: number, task, operator_name: operator }, received_s: begin_s }) => {
        const later = this.marks.filter(({ message: m }) => m.episode === number && m.kind !== 'begin');
        const end_s = later.find((m) => m.message.kind === 'end')?.received_s ?? Number.POSITIVE_INFINITY;
        const last = (key: 'outcome' | 'notes') =>
          later.reduce((text, { message }) => message[key] || text, '');
        const within = <T>(stream: readonly Timed<T>[]) =>
          stream.filter((m) => m.received_s >= begin_s - MARGIN_S && m.received_s <= end_s + MARGIN_S);
        return {
          number,
          task,
          operator,
          outcome: last('outcome'),
          notes: last('notes'),
          begin_s,
          end_s,
          steps: this.steps.filter((s) => s.message.episode === number),
          joints: within(this.joints),
          commands: within(this.commands),
          objects: within(this.objects),
          images: Object.fromEntries(Object.entries(this.images).map(([name, m]) => [name, within(m)])),
        };
      },
    );
  }
}

/**
 * A recording, whole and in memory.
 * @throws UserError where it is none, none of Reverie's, or holds a message that its type does not fit
 */
export async function readRecording(path: string): Promise<RecordingContents> {
  await zstd.isLoaded;
  const damage: Damage = { lost_bytes: 0, complete: false };
  const names = new Map<number, string>();
  const streams = new Streams();
  let about: RecordingContents['about'] | undefined;
  for (const record of recordsOf(path, damage)) {
    if (record.type === 'Metadata' && record.name === METADATA)
      about = parseUserInput(metadataSchema, Object.fromEntries(record.metadata), `${path}: metadata`);
    else if (record.type === 'Channel') names.set(record.id, record.topic);
    if (record.type !== 'Message') continue;
    const topic = names.get(record.channelId)!;
    try {
      streams.take(topic, record.logTime, record.publishTime, record.data);
    } catch (error) {
      throw new UserError(`${path}: ${topic}: a message that cannot be read (${(error as Error).message})`);
    }
  }
  if (!about)
    throw new UserError(`${path}: a recording, but not one of Reverie's (no metadata "${METADATA}")`);
  const episodes = streams.episodes().filter((e) => e.outcome !== 'discard');
  return { about, episodes, lost_bytes: damage.lost_bytes };
}
