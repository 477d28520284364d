import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetWriteFile } from 'hyparquet-writer';
import { PNG } from 'pngjs';
import { afterAll, describe, expect, it } from 'vitest';
import { merge, select, trim } from '../../src/datasets/edit.js';
import type { Episode, Features } from '../../src/datasets/features.js';
import { Dataset } from '../../src/datasets/reader.js';
import { DatasetWriter } from '../../src/datasets/writer.js';
import { exampleEpisode, features } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'reverie-datasets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function dataset(name: string, episodes: readonly Episode[], its: Features = features) {
  const path = join(folder, name);
  const writer = new DatasetWriter(path, { fps: 20, robot: 'arm', features: its });
  for (const episode of episodes) await writer.add(episode);
  await writer.close();
  return path;
}

/** Rows as an independent reader of Parquet has them. */
async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  return rows;
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
const episodes = [exampleEpisode(7, 1), exampleEpisode(5, 2, 'open the hand'), exampleEpisode(9, 3)];

describe('a dataset in the layout of LeRobot v3.0', () => {
  it('has the files and fields that the format asks for', async () => {
    const path = await dataset('layout', episodes);
    expect((readdirSync(path, { recursive: true }) as string[]).filter((f) => /\./.test(f)).sort()).toEqual([
      'data/chunk-000/file-000.parquet',
      'meta/episodes/chunk-000/file-000.parquet',
      'meta/info.json',
      'meta/stats.json',
      'meta/tasks.parquet',
    ]);
    const info = JSON.parse(readFileSync(join(path, 'meta/info.json'), 'utf8'));
    expect(info).toMatchObject({
      codebase_version: 'v3.0',
      robot_type: 'arm',
      total_episodes: 3,
      total_frames: 21,
      total_tasks: 2,
      chunks_size: 1000,
      fps: 20,
      splits: { train: '0:3' },
      data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
    });
    for (const name of ['timestamp', 'frame_index', 'episode_index', 'index', 'task_index'])
      expect(info.features[name]).toMatchObject({ shape: [1] });
    const stats = JSON.parse(readFileSync(join(path, 'meta/stats.json'), 'utf8'));
    expect(Object.keys(stats.action)).toEqual(
      expect.arrayContaining(['min', 'max', 'mean', 'std', 'count', 'q01', 'q10', 'q50', 'q90', 'q99']),
    );
  });

  it('is read by DuckDB with the same types, rows and sums', async () => {
    const path = await dataset('duckdb', episodes);
    const data = join(path, 'data/chunk-000/file-000.parquet');
    const types = await duckdb(`describe select * from '${data}'`);
    expect(Object.fromEntries(types.map((t) => [t.column_name, t.column_type]))).toEqual({
      'observation.state': 'FLOAT[]',
      action: 'FLOAT[]',
      'next.reward': 'FLOAT',
      'next.done': 'BOOLEAN',
      capture_time: 'DOUBLE',
      timestamp: 'FLOAT',
      frame_index: 'BIGINT',
      episode_index: 'BIGINT',
      index: 'BIGINT',
      task_index: 'BIGINT',
    });
    const [found] = await duckdb(
      `select count(*) as rows, sum(list_sum(action)) as action, sum("next.reward") as reward,
              sum(capture_time) as captured, max("index") as last from '${data}'`,
    );
    const all = (name: string) => episodes.flatMap((e) => Array.from(e.columns[name] as Float64Array));
    expect(found).toMatchObject({ rows: '21', last: '20' });
    expect(found.action).toBe(sum(all('action')));
    expect(found.reward).toBe(sum(all('next.reward')));
    expect(found.captured).toBeCloseTo(sum(all('capture_time')), 3);
    const described = await duckdb(
      `select episode_index, tasks[1] as task, length, dataset_from_index, dataset_to_index, outcome,
              "stats/action/mean"[2] as mean, "stats/action/count"[1] as frames
       from '${join(path, 'meta/episodes/chunk-000/file-000.parquet')}'`,
    );
    expect(described[1]).toMatchObject({
      episode_index: '1',
      task: 'open the hand',
      length: '5',
      dataset_from_index: '7',
      dataset_to_index: '12',
      outcome: 'success',
      frames: '5',
    });
    const lifts = (episodes[1].columns.action as Float64Array).filter((_, i) => i % 3 === 1);
    expect(described[1].mean).toBeCloseTo(sum(lifts) / 5, 12);
    expect(await duckdb(`select * from '${join(path, 'meta/tasks.parquet')}' order by task_index`)).toEqual([
      { task_index: '0', __index_level_0__: 'lift the block' },
      { task_index: '1', __index_level_0__: 'open the hand' },
    ]);
  });

  it('comes back as it was written, images and notes included', async () => {
    const png = (level: number) =>
      PNG.sync.write(
        Object.assign(new PNG({ width: 2, height: 2 }), {
          data: Buffer.alloc(16, level),
        }),
      );
    const camera: Features = {
      'observation.images.front': { dtype: 'image', shape: [2, 2, 3], names: null },
    };
    const [episode] = episodes;
    const images = Array.from({ length: episode.length }, (_, i) => png(20 * i));
    const seen = { ...episode, columns: { ...episode.columns, 'observation.images.front': images } };
    const path = await dataset('back', [seen], { ...features, ...camera });
    const back = await (await Dataset.open(path)).episode(0);
    expect(back).toMatchObject({ task: 'lift the block', length: 7, outcome: 'success', operator: 'anna' });
    expect(back.columns.action).toEqual(episode.columns.action);
    expect(Buffer.from((back.columns['observation.images.front'] as Uint8Array[])[3])).toEqual(images[3]);
    const stats = JSON.parse(readFileSync(join(path, 'meta/stats.json'), 'utf8'));
    expect(stats['observation.images.front'].max[0]).toEqual([[120 / 255]]);
  });

  it('has statistics of all that are those of the parts together', async () => {
    const path = await dataset('statistics', episodes);
    const stats = JSON.parse(readFileSync(join(path, 'meta/stats.json'), 'utf8'));
    const all = episodes.flatMap((e) => Array.from(e.columns['next.reward'] as Float64Array));
    const mean = sum(all) / all.length;
    expect(stats['next.reward'].mean[0]).toBeCloseTo(mean, 10);
    const variance = sum(all.map((x) => (x - mean) ** 2)) / all.length;
    expect(stats['next.reward'].std[0]).toBeCloseTo(Math.sqrt(variance), 10);
    expect(stats['next.reward'].count).toEqual([21]);
  });
});

describe('a dataset of LeRobot v2.1', () => {
  function older(
    name: string,
    action = [
      [0.5, 1, 2],
      [1, 2, 3],
    ],
  ): string {
    const path = join(folder, name);
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    };
    const { 'next.done': _done, capture_time: _time, 'observation.state': _state, ...kept } = features;
    write(
      'meta/info.json',
      JSON.stringify({
        codebase_version: 'v2.1',
        robot_type: 'arm',
        total_episodes: 1,
        total_frames: 2,
        fps: 20,
        chunks_size: 1000,
        data_path: 'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet',
        features: { ...kept, 'observation.images.top': { dtype: 'video', shape: [48, 64, 3], names: null } },
      }),
    );
    write('meta/episodes.jsonl', `${JSON.stringify({ episode_index: 0, tasks: ['push'], length: 2 })}\n`);
    write('data/chunk-000/x', '');
    parquetWriteFile({
      filename: join(path, 'data/chunk-000/episode_000000.parquet'),
      columnData: [
        { name: 'action', data: action, type: 'JSON' },
        { name: 'next.reward', data: Float32Array.of(0, 1), type: 'FLOAT' },
        { name: 'episode_index', data: [0n, 0n], type: 'INT64' },
      ],
    });
    return path;
  }

  it('is read, videos left out', async () => {
    const source = await Dataset.open(older('v21'));
    expect(source.videos).toEqual(['observation.images.top']);
    const episode = await source.episode(0);
    expect(episode.task).toBe('push');
    expect(Array.from(episode.columns.action as Float64Array)).toEqual([0.5, 1, 2, 1, 2, 3]);
  });

  it('is refused where a row is not of the shape', async () => {
    const source = await Dataset.open(
      older('v21-bad', [
        [1, 2],
        [1, 2, 3],
      ]),
    );
    await expect(source.episode(0)).rejects.toThrow(/action: row 0 has 2 values, expected 3/);
  });
});

describe('editing', () => {
  it('merges, selects and trims into new datasets', async () => {
    const a = await Dataset.open(await dataset('edit-a', episodes.slice(0, 2)));
    const b = await Dataset.open(await dataset('edit-b', episodes.slice(2)));
    await merge([a, b], join(folder, 'merged'));
    const merged = await Dataset.open(join(folder, 'merged'));
    expect([merged.length, merged.info.total_frames]).toEqual([3, 21]);
    expect((await merged.episode(2)).columns.action).toEqual(episodes[2].columns.action);
    await select(merged, [2, 0], join(folder, 'selected'));
    const selected = await Dataset.open(join(folder, 'selected'));
    expect((await selected.episode(0)).columns.action).toEqual(episodes[2].columns.action);
    await trim(merged, 0, 2, 5, join(folder, 'trimmed'));
    const trimmed = await Dataset.open(join(folder, 'trimmed'));
    expect(trimmed.info.total_frames).toBe(17);
    expect((await trimmed.episode(0)).columns.action).toEqual(
      (episodes[0].columns.action as Float64Array).slice(6, 15),
    );
  });

  it.each([
    ['another rate', { fps: 30, robot: 'arm', features }, /fps is 30, that of .* is 20/],
    ['another robot', { fps: 20, robot: 'dog', features }, /robot_type is "dog"/],
    [
      'other joints',
      {
        fps: 20,
        robot: 'arm',
        features: { ...features, action: { ...features.action, names: ['x', 'y', 'z'] } },
      },
      /feature action/,
    ],
  ])('refuses to merge with %s, and leaves nothing behind', async (what, options, expected) => {
    const a = await Dataset.open(await dataset(`mine ${what}`, episodes.slice(0, 1)));
    const path = join(folder, `theirs ${what}`);
    const writer = new DatasetWriter(path, options);
    await writer.add(episodes[0]);
    await writer.close();
    const out = join(folder, `out ${what}`);
    await expect(merge([a, await Dataset.open(path)], out)).rejects.toThrow(expected);
    expect(existsSync(out)).toBe(false);
  });
});

describe('bad input', () => {
  it('is refused with the reason', async () => {
    const path = await dataset('bad', episodes.slice(0, 1));
    expect(() => new DatasetWriter(path, { fps: 20, robot: 'arm', features })).toThrow(/never written over/);
    await expect(Dataset.open(folder)).rejects.toThrow(/no LeRobot dataset/);
    const source = await Dataset.open(path);
    await expect(source.episode(1)).rejects.toThrow(/no episode 1; there are 0 to 0/);
    writeFileSync(join(path, 'data/chunk-000/file-000.parquet'), 'not parquet');
    await expect(source.episode(0)).rejects.toThrow(/no Parquet file/);
    const info = JSON.parse(readFileSync(join(path, 'meta/info.json'), 'utf8'));
    writeFileSync(join(path, 'meta/info.json'), JSON.stringify({ ...info, codebase_version: 'v1.0' }));
    await expect(Dataset.open(path)).rejects.toThrow(/codebase_version "v1.0"/);
  });

  it('leaves a dataset without the episode that is not finite', async () => {
    const path = join(folder, 'not finite');
    const writer = new DatasetWriter(path, { fps: 20, robot: 'arm', features });
    await writer.add(episodes[0]);
    const broken = exampleEpisode(3, 4);
    (broken.columns.action as Float64Array)[4] = Number.NaN;
    await expect(writer.add(broken)).rejects.toThrow(/action holds NaN at 4/);
    await writer.close();
    expect((await Dataset.open(path)).length).toBe(1);
  });
});
