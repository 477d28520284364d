import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { UserError } from '../base/errors.js';
import {
  CODEBASE_VERSION,
  type Column,
  type Episode,
  type Features,
  frameFeatures,
  isNumeric,
  sizeOf,
} from './features.js';
import { type EpisodeRow, writeEpisodes, writeTasks } from './meta.js';
import { featureElements, schemaOf, toRows } from './parquet.js';
import { aggregate, type Statistics, statisticsOf } from './statistics.js';

export interface DatasetOptions {
  readonly fps: number;
  /** Name of the robot. */
  readonly robot: string;
  /** Beside the columns that every frame has. */
  readonly features: Features;
}

const CHUNK_FILES = 1000;
const DATA_FILE_MB = 100;

/**
 * Writes a LeRobotDataset v3.0, episode after episode. The folder appears under its name once all is
 * written: a crash leaves `NAME.partial` and nothing else.
 */
export class DatasetWriter {
  private readonly partial: string;
  private readonly features: Features;
  private readonly rows: EpisodeRow[] = [];
  private readonly tasks = new Map<string, number>();
  private frames = 0;
  private file = -1;
  private data: ParquetWriter | undefined;

  /** @throws UserError where the folder is there already */
  constructor(
    readonly path: string,
    private readonly options: DatasetOptions,
  ) {
    if (existsSync(path)) throw new UserError(`${path}: is there already; a dataset is never written over`);
    const videos = Object.entries(options.features).filter(([, f]) => f.dtype === 'video');
    if (videos.length > 0) throw new UserError(`${videos[0][0]}: videos are not written, images are`);
    this.partial = `${path}.partial`;
    rmSync(this.partial, { recursive: true, force: true });
    this.features = { ...options.features, ...frameFeatures };
    mkdirSync(join(this.partial, 'meta'), { recursive: true });
  }

  get episodes(): number {
    return this.rows.length;
  }

  /** @throws UserError where a column is missing, too short or not finite; nothing is written then */
  async add(episode: Episode): Promise<void> {
    if (episode.length === 0) throw new UserError(`${this.path}: an episode without frames`);
    const number = this.rows.length;
    this.check(episode, number);
    const task = this.tasks.get(episode.task) ?? this.tasks.size;
    this.tasks.set(episode.task, task);
    const { length } = episode;
    const frames = Float64Array.from({ length }, (_, i) => i);
    const columns: Record<string, Column> = {
      ...episode.columns,
      timestamp: frames.map((i) => i / this.options.fps),
      frame_index: frames,
      episode_index: new Float64Array(length).fill(number),
      index: frames.map((i) => this.frames + i),
      task_index: new Float64Array(length).fill(task),
    };
    await this.openData();
    await this.data!.write({
      rowGroupSize: length,
      columnData: Object.entries(this.features).map(([name, feature]) => ({
        name,
        data: toRows(feature, columns[name], (frame) => `${name}-${number}-${frame}.png`),
      })),
    });
    const statistics: Record<string, Statistics> = {};
    for (const [name, feature] of Object.entries(this.features)) {
      const found = statisticsOf(feature, columns[name]);
      if (found) statistics[name] = found;
    }
    // What is kept of an episode is small: its columns are on the disk.
    this.rows.push({ episode: { ...episode, columns: {} }, from: this.frames, file: this.file, statistics });
    this.frames += length;
  }

  /** Writes what describes the episodes, and gives the folder its name. */
  async close(): Promise<void> {
    const { partial, rows, options, features } = this;
    await this.data?.finish();
    const statistics = Object.fromEntries(
      Object.keys(rows[0]?.statistics ?? {}).map((name) => [
        name,
        aggregate(rows.map((r) => r.statistics[name])),
      ]),
    );
    const nested = Object.fromEntries(
      Object.entries(statistics).map(([name, s]) => [
        name,
        features[name].dtype === 'image' ? perChannel(s) : s,
      ]),
    );
    await writeEpisodes(join(partial, 'meta/episodes/chunk-000/file-000.parquet'), rows, CHUNK_FILES);
    await writeTasks(join(partial, 'meta/tasks.parquet'), this.tasks);
    writeJson(join(partial, 'meta/stats.json'), nested);
    writeJson(join(partial, 'meta/info.json'), {
      codebase_version: CODEBASE_VERSION,
      robot_type: options.robot,
      total_episodes: rows.length,
      total_frames: this.frames,
      total_tasks: this.tasks.size,
      chunks_size: CHUNK_FILES,
      data_files_size_in_mb: DATA_FILE_MB,
      video_files_size_in_mb: 200,
      fps: options.fps,
      splits: { train: `0:${rows.length}` },
      data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
      video_path: null,
      features,
    });
    renameSync(partial, this.path);
  }

  /** Throws away what was written. */
  async abandon(): Promise<void> {
    await this.data?.finish();
    rmSync(this.partial, { recursive: true, force: true });
  }

  private check({ columns, length }: Episode, number: number): void {
    for (const [name, feature] of Object.entries(this.options.features)) {
      const column = columns[name];
      const expected = isNumeric(feature) ? length * sizeOf(feature) : length;
      if (column?.length !== expected)
        throw new UserError(
          `${this.path}: episode ${number}: ${name} has ${column?.length ?? 'no'} values, expected ${expected}`,
        );
      if (!isNumeric(feature)) continue;
      const bad = (column as Float64Array).findIndex((x) => !Number.isFinite(x));
      if (bad >= 0)
        throw new UserError(`${this.path}: episode ${number}: ${name} holds ${column[bad]} at ${bad}`);
    }
  }

  /** Goes on to the next file once one is full. */
  private async openData(): Promise<void> {
    if (this.data && this.data.writer.offset < DATA_FILE_MB * 1e6) return;
    await this.data?.finish();
    this.file++;
    const path = join(this.partial, dataPath(this.file));
    mkdirSync(dirname(path), { recursive: true });
    const schema = schemaOf(Object.entries(this.features).map(([n, f]) => featureElements(n, f)));
    this.data = new ParquetWriter({ writer: fileWriter(path), schema });
  }
}

function dataPath(file: number): string {
  const three = (n: number) => String(n).padStart(3, '0');
  return `data/chunk-${three(Math.floor(file / CHUNK_FILES))}/file-${three(file % CHUNK_FILES)}.parquet`;
}

/** An image's statistics are [channels, 1, 1], but for the count. */
function perChannel(statistics: Statistics): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(statistics).map(([key, values]) => [
      key,
      key === 'count' ? values : values.map((v: number) => [[v]]),
    ]),
  );
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 4)}\n`);
}
