import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseUserInput, UserError } from '../base/errors.js';
import {
  type Episode,
  type EpisodeNotes,
  type Features,
  frameFeatures,
  type Info,
  infoSchema,
} from './features.js';
import { noteNames } from './meta.js';
import { fromRows, readRows } from './parquet.js';

/** Where an episode's rows lie. */
interface Place extends EpisodeNotes {
  readonly task: string;
  readonly length: number;
  readonly file: string;
  readonly rowStart: number;
}

/**
 * A LeRobotDataset, v3.0 or v2.1, opened for reading: its episodes are read one at a time. Nothing
 * is ever written to it.
 */
export class Dataset {
  private constructor(
    readonly path: string,
    readonly info: Info,
    /** Beside the columns that every frame has; without videos. */
    readonly features: Features,
    /** Names of videos, which are not read. */
    readonly videos: readonly string[],
    private readonly places: readonly Place[],
  ) {}

  /** @throws UserError naming file, field and what was expected where the folder is no such dataset or is damaged */
  static async open(path: string): Promise<Dataset> {
    const file = join(path, 'meta/info.json');
    if (!existsSync(file)) throw new UserError(`${path}: no LeRobot dataset (it has no meta/info.json)`);
    const info = parseUserInput(infoSchema, json(file), file);
    const videos = Object.keys(info.features).filter((name) => info.features[name].dtype === 'video');
    const features = Object.fromEntries(
      Object.entries(info.features).filter(([name]) => !(name in frameFeatures) && !videos.includes(name)),
    );
    const version = info.codebase_version;
    if (version !== 'v3.0' && version !== 'v2.1')
      throw new UserError(`${file}: codebase_version "${version}", expected v3.0 or v2.1`);
    const places = version === 'v3.0' ? await placesV30(path, info) : placesV21(path, info);
    if (places.length !== info.total_episodes)
      throw new UserError(
        `${file}: total_episodes ${info.total_episodes}, but ${places.length} are described; the dataset is damaged`,
      );
    return new Dataset(path, info, features, videos, places);
  }

  get length(): number {
    return this.places.length;
  }

  /** Frames of an episode. */
  framesOf(index: number): number {
    return this.place(index).length;
  }

  /** @throws UserError where there is none of that number, or its rows are not as described */
  async episode(index: number): Promise<Episode> {
    const { file, rowStart, length, ...about } = this.place(index);
    const path = join(this.path, file);
    const rows = await readRows(path, {
      rowStart,
      rowEnd: rowStart + length,
      columns: [...Object.keys(this.features), 'episode_index'],
    });
    if (rows.length !== length || rows.some((row) => Number(row.episode_index) !== index))
      throw new UserError(`${path}: episode ${index} is not the ${length} rows that it is said to be`);
    const columns = Object.fromEntries(
      Object.entries(this.features).map(([name, feature]) => [
        name,
        fromRows(
          feature,
          rows.map((row) => row[name]),
          `${path}: ${name}`,
        ),
      ]),
    );
    return { ...about, length, columns };
  }

  private place(index: number): Place {
    const place = this.places[index];
    if (!place)
      throw new UserError(`${this.path}: no episode ${index}; there are 0 to ${this.places.length - 1}`);
    return place;
  }
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}`);
  }
}

/** Fills the places of a path template as Python's str.format does: `{chunk_index:03d}`. */
function fill(template: string, values: Readonly<Record<string, number>>): string {
  return template.replace(/\{(\w+)(?::0(\d+)d)?\}/g, (_, name: string, width?: string) =>
    String(values[name]).padStart(Number(width ?? 0), '0'),
  );
}

async function placesV30(path: string, info: Info): Promise<Place[]> {
  const rows: Record<string, unknown>[] = [];
  const three = (n: number) => String(n).padStart(3, '0');
  for (let chunk = 0; ; chunk++) {
    let file = 0;
    for (; ; file++) {
      const name = join(path, `meta/episodes/chunk-${three(chunk)}/file-${three(file)}.parquet`);
      if (!existsSync(name)) break;
      rows.push(...(await readRows(name)));
    }
    if (file === 0) break;
  }
  const firstOfFile = new Map<string, number>();
  return rows.map((row) => {
    const file = fill(info.data_path, {
      chunk_index: Number(row['data/chunk_index']),
      file_index: Number(row['data/file_index']),
    });
    const from = Number(row.dataset_from_index);
    if (!firstOfFile.has(file)) firstOfFile.set(file, from);
    const notes = Object.fromEntries(noteNames.map((name) => [name, String(row[name] ?? '')]));
    return {
      task: String((row.tasks as unknown[] | undefined)?.[0] ?? ''),
      length: Number(row.length),
      file,
      rowStart: from - firstOfFile.get(file)!,
      ...(notes as unknown as EpisodeNotes),
    };
  });
}

function placesV21(path: string, info: Info): Place[] {
  const file = join(path, 'meta/episodes.jsonl');
  if (!existsSync(file)) throw new UserError(`${file}: is missing`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line, i) => {
      try {
        const { episode_index, tasks, length } = JSON.parse(line);
        const values = { episode_chunk: Math.floor(episode_index / info.chunks_size), episode_index };
        return {
          task: String(tasks[0]),
          length: Number(length),
          file: fill(info.data_path, values),
          rowStart: 0,
          outcome: '',
          operator: '',
          notes: '',
        };
      } catch (error) {
        throw new UserError(`${file}: line ${i + 1}: ${(error as Error).message}`);
      }
    });
}
