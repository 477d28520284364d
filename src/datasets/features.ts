import { z } from 'zod';

/**
 * What a dataset says of its columns, as LeRobotDataset v3.0 has it in `meta/info.json`
 * (https://github.com/huggingface/lerobot, `datasets/utils.py`).
 */

export const CODEBASE_VERSION = 'v3.0';

const dtypes = ['float32', 'float64', 'int64', 'int32', 'bool', 'string', 'image', 'video'] as const;

export const featureSchema = z.object({
  dtype: z.enum(dtypes),
  shape: z.array(z.int().positive()).min(1),
  names: z.union([z.array(z.string()), z.record(z.string(), z.unknown()), z.null()]).default(null),
});

/** `shape` is that of one frame; an image's is [height, width, channels]. */
export type Feature = z.output<typeof featureSchema>;
export type Features = Readonly<Record<string, Feature>>;

export const infoSchema = z.object({
  codebase_version: z.string(),
  robot_type: z.string().nullish(),
  total_episodes: z.int().nonnegative(),
  total_frames: z.int().nonnegative(),
  fps: z.number().positive(),
  chunks_size: z.int().positive().default(1000),
  data_path: z.string(),
  features: z.record(z.string(), featureSchema),
});
export type Info = z.output<typeof infoSchema>;

/** Columns that every frame has; whoever adds an episode does not give them. */
export const frameFeatures: Features = {
  timestamp: { dtype: 'float32', shape: [1], names: null },
  frame_index: { dtype: 'int64', shape: [1], names: null },
  episode_index: { dtype: 'int64', shape: [1], names: null },
  index: { dtype: 'int64', shape: [1], names: null },
  task_index: { dtype: 'int64', shape: [1], names: null },
};

/**
 * A column of one episode. Numbers, flags included, lie row after row in one vector [frames × size];
 * images are PNG files.
 */
export type Column = Float64Array | readonly Uint8Array[] | readonly string[];

/** Numbers in a frame of this feature. */
export function sizeOf(feature: Feature): number {
  return feature.shape.reduce((product, n) => product * n, 1);
}

export function isNumeric({ dtype }: Feature): boolean {
  return dtype !== 'image' && dtype !== 'video' && dtype !== 'string';
}

/** What Reverie knows of an episode beyond LeRobot's columns; empty text where nothing is known. */
export interface EpisodeNotes {
  readonly outcome: string;
  readonly operator: string;
  readonly notes: string;
}

export interface Episode extends Partial<EpisodeNotes> {
  /** What was to be done, in words. */
  readonly task: string;
  readonly length: number;
  readonly columns: Readonly<Record<string, Column>>;
}
