import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { Episode } from './features.js';
import { listElements, pandasIndex, scalarElement, schemaOf } from './parquet.js';
import { type Statistics, statisticNames } from './statistics.js';

/** Where an episode lies, for `meta/episodes`. */
export interface EpisodeRow {
  readonly episode: Episode;
  readonly from: number;
  readonly file: number;
  readonly statistics: Readonly<Record<string, Statistics>>;
}

/** A column of one of the files under `meta/`. */
interface MetaColumn {
  readonly name: string;
  readonly elements: SchemaElement[];
  readonly data: unknown[];
}

/** Columns of Reverie's own that go with each episode. */
export const noteNames = ['outcome', 'operator', 'notes'] as const;

/**
 * `meta/episodes`: where each episode lies, what it was, and its statistics.
 * @param perChunk files in a chunk
 */
export async function writeEpisodes(
  path: string,
  rows: readonly EpisodeRow[],
  perChunk: number,
): Promise<void> {
  const int = (name: string, value: (row: EpisodeRow, i: number) => number): MetaColumn => ({
    name,
    elements: [scalarElement(name, 'int64')],
    data: rows.map((row, i) => BigInt(value(row, i))),
  });
  const features = Object.keys(rows[0]?.statistics ?? {});
  const columns: MetaColumn[] = [
    int('episode_index', (_, i) => i),
    { name: 'tasks', elements: listElements('tasks', 'string'), data: rows.map((r) => [r.episode.task]) },
    int('length', (r) => r.episode.length),
    int('data/chunk_index', (r) => Math.floor(r.file / perChunk)),
    int('data/file_index', (r) => r.file % perChunk),
    int('dataset_from_index', (r) => r.from),
    int('dataset_to_index', (r) => r.from + r.episode.length),
    ...features.flatMap((feature) =>
      statisticNames.map((statistic): MetaColumn => {
        const name = `stats/${feature}/${statistic}`;
        const counts = statistic === 'count';
        const value = (r: EpisodeRow) => r.statistics[feature][statistic as 'min'];
        return {
          name,
          elements: listElements(name, counts ? 'int64' : 'float64'),
          data: rows.map((r) => (counts ? value(r).map(BigInt) : value(r))),
        };
      }),
    ),
    int('meta/episodes/chunk_index', () => 0),
    int('meta/episodes/file_index', () => 0),
    ...noteNames.map((name) => ({
      name,
      elements: [scalarElement(name, 'string')],
      data: rows.map((r) => r.episode[name] ?? ''),
    })),
  ];
  await write(path, columns);
}

/** `meta/tasks.parquet`: a pandas frame whose index is the task in words. */
export async function writeTasks(path: string, tasks: ReadonlyMap<string, number>): Promise<void> {
  const index = '__index_level_0__';
  const columns: MetaColumn[] = [
    {
      name: 'task_index',
      elements: [scalarElement('task_index', 'int64')],
      data: [...tasks.values()].map(BigInt),
    },
    { name: index, elements: [scalarElement(index, 'string')], data: [...tasks.keys()] },
  ];
  await write(path, columns, [pandasIndex(index, { task_index: 'int64' })]);
}

async function write(
  path: string,
  columns: readonly MetaColumn[],
  kvMetadata?: { key: string; value?: string }[],
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: schemaOf(columns.map((c) => c.elements)),
    kvMetadata,
  });
  await writer.write({ columnData: columns.map(({ name, data }) => ({ name, data })) });
  await writer.finish();
}
