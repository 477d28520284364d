import { PNG } from 'pngjs';
import { UserError } from '../base/errors.js';
import type { Column, Features } from '../datasets/features.js';
import { RobotEpisode, robotFeatures } from '../datasets/robotFrames.js';
import { DatasetWriter } from '../datasets/writer.js';
import type { RobotSpec } from '../robot/spec.js';
import { RobotState } from '../robot/state.js';
import { secondsOf } from '../ros/time.js';
import type { Image } from '../ros/types.js';
import { type RecordedEpisode, readRecording, type Timed } from './read.js';

export interface ExportResult {
  readonly episodes: number;
  readonly frames: number;
  /** Episodes without a policy step: there is nothing to make a frame of. */
  readonly skipped: number;
}

const TERMINAL = 1;
const TRUNCATED = 2;
/** Of a step that a stop cut: it is no frame. */
const INTERRUPTED = 4;

/**
 * Makes a LeRobot dataset of a recording: a frame for each policy step, with the newest of every
 * stream that had been received when the step began, and when that was captured. Pictures are stored
 * as images, which LeRobot takes as well as videos: no encoder of videos comes with Reverie.
 * @throws UserError where the recording is of another robot or damaged beyond use, or `out` is there
 */
export async function exportRecording(path: string, spec: RobotSpec, out: string): Promise<ExportResult> {
  const { about, episodes } = await readRecording(path);
  const joints = spec.joints.map((j) => j.name);
  if (about.robot !== spec.name || about.joints.join() !== joints.join())
    throw new UserError(
      `${path}: recorded on "${about.robot}" with joints ${about.joints.join(', ')}; "${spec.name}" has ${joints.join(', ')}`,
    );
  const whole = episodes.map((e) => ({
    ...e,
    steps: e.steps.filter((s) => (s.message.flags & INTERRUPTED) === 0),
  }));
  const usable = whole.filter((e) => e.steps.length > 0 && e.joints.length > 0 && e.commands.length > 0);
  if (usable.length === 0) throw new UserError(`${path}: no episode with policy steps; nothing to export`);
  const cameras = camerasOf(usable);
  const features = { ...robotFeatures(spec, about.contract), ...cameras };
  const writer = new DatasetWriter(out, { fps: about.policy_hz, robot: spec.name, features });
  let frames = 0;
  try {
    for (const episode of usable) {
      const gathered = framesOf(episode, spec, about.policy_hz, features);
      const { task, outcome, operator, notes } = episode;
      await writer.add(
        gathered.finish(task, { outcome, operator, notes }, imagesOf(episode, about.policy_hz)),
      );
      frames += gathered.length;
    }
    await writer.close();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  return { episodes: usable.length, frames, skipped: episodes.length - usable.length };
}

function framesOf(
  { steps, joints, commands, objects, outcome }: RecordedEpisode,
  spec: RobotSpec,
  policy_hz: number,
  features: Features,
): RobotEpisode {
  const gathered = new RobotEpisode(features);
  steps.forEach(({ message: step }, i) => {
    const end_s = secondsOf(step.stamp);
    const begin_s = end_s - 1 / policy_hz;
    const sample = newest(joints, begin_s);
    const state = RobotState.for(spec);
    state.position_rad.set(sample.message.position);
    state.velocity_rad_s.set(sample.message.velocity);
    if (objects.length > 0) state.object_m.set(newest(objects, begin_s).message);
    gathered.add({
      state,
      target_rad: newest(commands, end_s).message.position,
      observation: step.observation,
      nextObservation: step.next_observation,
      action: step.executed,
      reward: step.reward,
      terminal: (step.flags & TERMINAL) !== 0,
      truncated: (step.flags & TRUNCATED) !== 0,
      success: outcome === 'success' && i === steps.length - 1,
      intervention: step.authority === 'person',
      capture_time_s: sample.captured_s,
      receive_time_s: sample.received_s,
    });
  });
  return gathered;
}

/** The newest that had been received by a moment, or the first where none had. */
function newest<T>(stream: readonly Timed<T>[], time_s: number): Timed<T> {
  let low = 0;
  let high = stream.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stream[middle].received_s <= time_s) low = middle + 1;
    else high = middle;
  }
  return stream[Math.max(0, low - 1)];
}

const imageName = (camera: string) => `observation.images.${camera}`;
const captureName = (camera: string) => `capture_time.${camera}`;

/** Cameras that saw every episode. */
function camerasOf(episodes: readonly RecordedEpisode[]): Features {
  const names = Object.keys(episodes[0].images).filter((name) =>
    episodes.every((e) => (e.images[name]?.length ?? 0) > 0),
  );
  return Object.fromEntries(
    names.flatMap((name): [string, Features[string]][] => {
      const { width, height } = episodes[0].images[name][0].message;
      return [
        [
          imageName(name),
          { dtype: 'image', shape: [height, width, 3], names: ['height', 'width', 'channels'] },
        ],
        [captureName(name), { dtype: 'float64', shape: [1], names: null }],
      ];
    }),
  );
}

/** For each step what a camera had delivered by its beginning, and when that was taken. */
function imagesOf({ steps, images }: RecordedEpisode, policy_hz: number): Record<string, Column> {
  const columns: Record<string, Column> = {};
  for (const [name, stream] of Object.entries(images)) {
    if (stream.length === 0) continue;
    const seen = steps.map(({ message }) => newest(stream, secondsOf(message.stamp) - 1 / policy_hz));
    const files = new Map<Image, Uint8Array>();
    columns[imageName(name)] = seen.map(({ message }) => {
      const file = files.get(message) ?? png(message);
      files.set(message, file);
      return file;
    });
    columns[captureName(name)] = Float64Array.from(seen, (image) => image.captured_s);
  }
  return columns;
}

function png({ width, height, data }: Image): Uint8Array {
  const picture = new PNG({ width, height, colorType: 2 });
  for (let p = 0; p < width * height; p++) {
    for (let k = 0; k < 3; k++) picture.data[4 * p + k] = data[3 * p + k];
    picture.data[4 * p + 3] = 255;
  }
  return PNG.sync.write(picture, { colorType: 2 });
}
