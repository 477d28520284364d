import { readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { RecordRing } from '../control/ring.js';
import type { RobotBuffers } from '../control/sharedMemory.js';
import { TraceRecord } from '../control/traceRecord.js';
import type { RobotSpec } from '../robot/spec.js';
import { encode } from '../ros/codec.js';
import { StampClock } from '../ros/time.js';
import type { EpisodeMark, PolicyStep, TypeName } from '../ros/types.js';
import { nanoseconds, RecordingFile } from './file.js';
import { TickWriter } from './tickWriter.js';
import { cameraTopic, IMAGE_TYPE, topics } from './topics.js';

/**
 * The thread that records: it empties the ring of control ticks, takes what the main thread posts, and
 * writes both. Nothing waits for it: where it lags too far, ticks are lost and counted.
 */
export interface RecorderWorkerData {
  readonly path: string;
  readonly spec: RobotSpec;
  readonly buffers: RobotBuffers;
  readonly metadata: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Bytes that stay free on the disk. */
  readonly reserve_bytes: number;
}

/** Times are on the robot's clock; messages are given their stamps here. */
export type RecorderMail =
  | { readonly kind: 'step'; readonly time_s: number; readonly message: Omit<PolicyStep, 'stamp'> }
  | {
      readonly kind: 'event';
      readonly time_s: number;
      readonly message: { cause: string; joint: string; value: number; limit: number };
    }
  | { readonly kind: 'mark'; readonly time_s: number; readonly message: Omit<EpisodeMark, 'stamp'> }
  | {
      readonly kind: 'image';
      readonly time_s: number;
      readonly received_s: number;
      readonly camera: string;
      readonly width: number;
      readonly height: number;
      readonly rgb: Uint8Array;
    }
  | { readonly kind: 'pause' | 'resume' | 'end' };

export interface RecorderReport {
  readonly kind: 'ready' | 'status' | 'full' | 'failed' | 'ended';
  readonly messages: number;
  readonly bytes: number;
  /** Ticks lost since the recorder started, because it lagged. */
  readonly lost: number;
  readonly cpu_s: number;
  readonly reason?: string;
}

const DRAIN_MS = 20;
const STATUS_MS = 500;

const { path, spec, buffers, metadata, reserve_bytes } = workerData as RecorderWorkerData;
const port = parentPort!;
const ring = new RecordRing(buffers.trace, buffers.traceFields);
const lostBefore = ring.refused;
const record = new TraceRecord(spec);
const clock = new StampClock();
const file = await RecordingFile.create(path, metadata);
const ticks = new TickWriter(spec, record, file, clock);
const mail: RecorderMail[] = [];
let paused = false;
let over = false;
let statusAt_ms = 0;

/** Seconds of processor that this thread has had; 0 where the system does not say. */
function cpu_s(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return 0;
  }
}

function report(kind: RecorderReport['kind'], reason?: string): void {
  const { messages, bytes } = file;
  port.postMessage({
    kind,
    messages,
    bytes,
    lost: ring.refused - lostBefore,
    cpu_s: cpu_s(),
    reason,
  } satisfies RecorderReport);
}

async function put<T extends TypeName>(
  to: { topic: string; type: T },
  time_s: number,
  message: object,
): Promise<void> {
  const stamp = clock.stamp(time_s);
  const at = nanoseconds(stamp);
  await file.write(to.topic, to.type, encode(to.type, { stamp, ...message } as never), at, at);
}

async function take(item: RecorderMail): Promise<void> {
  if (item.kind === 'pause') paused = true;
  else if (item.kind === 'resume') paused = false;
  else if (item.kind === 'end') over = true;
  else if (item.kind === 'mark') await put(topics.episodes, item.time_s, item.message);
  else if (paused) return;
  else if (item.kind === 'step') await put(topics.steps, item.time_s, item.message);
  else if (item.kind === 'event') await put(topics.events, item.time_s, item.message);
  else if (item.kind === 'image') await writeImage(item);
}

async function writeImage(image: Extract<RecorderMail, { kind: 'image' }>): Promise<void> {
  const { camera, width, height, rgb } = image;
  const stamp = clock.stamp(image.time_s);
  const header = { stamp, frame_id: camera };
  const message = { header, height, width, encoding: 'rgb8', is_bigendian: 0, step: 3 * width, data: rgb };
  const received = nanoseconds(clock.stamp(image.received_s));
  await file.write(
    cameraTopic(camera),
    IMAGE_TYPE,
    encode(IMAGE_TYPE, message),
    nanoseconds(stamp),
    received,
  );
}

/** Everything that has come until now, in order within each stream. */
async function drain(): Promise<void> {
  while (ring.pop(record.flat)) if (!paused) await ticks.write();
  for (let item = mail.shift(); item; item = mail.shift()) await take(item);
}

function free_bytes(): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

port.on('message', (item: RecorderMail) => mail.push(item));
report('ready');
try {
  while (!over) {
    await drain();
    if (performance.now() - statusAt_ms > STATUS_MS) {
      statusAt_ms = performance.now();
      report('status');
      if (free_bytes() < reserve_bytes) {
        report('full', `less than ${Math.round(reserve_bytes / 1e6)} MB are free`);
        break;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  }
  await drain();
  await file.close();
  report('ended');
} catch (error) {
  // A disk that is full after all, say: what is in the file so far can be recovered.
  file.abandon();
  report('failed', (error as Error).message);
}
port.close();
