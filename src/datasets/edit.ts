import { UserError } from '../base/errors.js';
import type { Column, Episode, Feature, Features } from './features.js';
import { isNumeric, sizeOf } from './features.js';
import type { Dataset } from './reader.js';
import { DatasetWriter } from './writer.js';

/** Everything here reads datasets and writes new ones: what was recorded stays as it is. */

/** Episodes of one dataset after those of the other. @throws UserError where they do not fit each other */
export async function merge(sources: readonly Dataset[], out: string): Promise<void> {
  const [first, ...others] = sources;
  for (const other of others) checkAlike(first, other);
  await rewrite(out, first, async (writer) => {
    for (const source of sources)
      for (let i = 0; i < source.length; i++) await writer.add(await source.episode(i));
  });
}

/** Some episodes of a dataset, in the order given. */
export async function select(source: Dataset, episodes: readonly number[], out: string): Promise<void> {
  if (episodes.length === 0) throw new UserError(`${source.path}: no episode would be left`);
  await rewrite(out, source, async (writer) => {
    for (const i of episodes) await writer.add(await source.episode(i));
  });
}

/**
 * One episode cut to [from, to) frames; the others as they are.
 * @throws UserError where that leaves no frame
 */
export async function trim(
  source: Dataset,
  episode: number,
  from: number,
  to: number,
  out: string,
): Promise<void> {
  const frames = source.framesOf(episode);
  if (!(from >= 0 && from < to && to <= frames))
    throw new UserError(`${source.path}: frames ${from} to ${to} of episode ${episode}, which has ${frames}`);
  await rewrite(out, source, async (writer) => {
    for (let i = 0; i < source.length; i++) {
      const whole = await source.episode(i);
      await writer.add(i === episode ? cut(whole, source.features, from, to) : whole);
    }
  });
}

/** @throws UserError naming the first thing in which two datasets differ */
export function checkAlike(a: Dataset, b: Dataset): void {
  const differ = (what: string, ofA: unknown, ofB: unknown) => {
    if (JSON.stringify(ofA) !== JSON.stringify(ofB))
      throw new UserError(
        `${b.path}: ${what} is ${JSON.stringify(ofB)}, that of ${a.path} is ${JSON.stringify(ofA)}`,
      );
  };
  differ('fps', a.info.fps, b.info.fps);
  differ('robot_type', a.info.robot_type ?? null, b.info.robot_type ?? null);
  const names = (d: Dataset) => Object.keys(d.features).sort();
  differ('the list of features', names(a), names(b));
  const described = (f: Feature) => ({ dtype: f.dtype, shape: f.shape, names: f.names });
  for (const name of names(a))
    differ(`feature ${name}`, described(a.features[name]), described(b.features[name]));
}

async function rewrite(
  out: string,
  like: Dataset,
  fill: (writer: DatasetWriter) => Promise<void>,
): Promise<void> {
  const { fps, robot_type } = like.info;
  const writer = new DatasetWriter(out, { fps, robot: robot_type ?? '', features: like.features });
  try {
    await fill(writer);
    await writer.close();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

function cut(episode: Episode, features: Features, from: number, to: number): Episode {
  const columns = Object.entries(episode.columns).map(([name, column]): [string, Column] => {
    const size = isNumeric(features[name]) ? sizeOf(features[name]) : 1;
    return [name, column.slice(size * from, size * to) as Column];
  });
  return { ...episode, length: to - from, columns: Object.fromEntries(columns) };
}
