import { PNG } from 'pngjs';
import { type Column, type Feature, isNumeric, sizeOf } from './features.js';

/**
 * Statistics as LeRobot v3.0 keeps them, of each episode and of the whole: by element of a vector,
 * by channel of an image with pixels in [0, 1].
 */
export interface Statistics {
  readonly min: number[];
  readonly max: number[];
  readonly mean: number[];
  /** Of the population: divided by n. */
  readonly std: number[];
  /** Of frames. */
  readonly count: number[];
  readonly q01: number[];
  readonly q10: number[];
  readonly q50: number[];
  readonly q90: number[];
  readonly q99: number[];
}

export const quantiles = { q01: 0.01, q10: 0.1, q50: 0.5, q90: 0.9, q99: 0.99 } as const;
export const statisticNames = ['min', 'max', 'mean', 'std', 'count', ...Object.keys(quantiles)] as const;

/** Images of an episode that are looked at: evenly spread, as LeRobot samples them. */
const IMAGES_SAMPLED = 100;

/** @returns nothing for text */
export function statisticsOf(feature: Feature, column: Column): Statistics | undefined {
  if (isNumeric(feature)) {
    const values = column as Float64Array;
    const size = sizeOf(feature);
    const frames = values.length / size;
    const elements = Array.from({ length: size }, (_, k) =>
      Float64Array.from({ length: frames }, (_, i) => values[size * i + k]),
    );
    return summarise(elements, frames);
  }
  if (feature.dtype !== 'image') return undefined;
  return summarise(channels(column as readonly Uint8Array[]), Math.min(column.length, IMAGES_SAMPLED));
}

function channels(images: readonly Uint8Array[]): Float64Array[] {
  const every = Math.max(1, images.length / IMAGES_SAMPLED);
  const sampled = Array.from({ length: Math.min(images.length, IMAGES_SAMPLED) }, (_, i) =>
    PNG.sync.read(Buffer.from(images[Math.floor(i * every)])),
  );
  return [0, 1, 2].map((channel) =>
    Float64Array.from(
      sampled.flatMap(({ data, width, height }) =>
        Array.from({ length: width * height }, (_, p) => data[4 * p + channel] / 255),
      ),
    ),
  );
}

function summarise(elements: readonly Float64Array[], count: number): Statistics {
  const sorted = elements.map((values) => values.slice().sort());
  const means = elements.map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  const spread = (values: Float64Array, mean: number) =>
    Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  const byQuantile = Object.entries(quantiles).map(([name, q]) => [
    name,
    sorted.map((values) => quantile(values, q)),
  ]);
  return {
    min: sorted.map((values) => values[0]),
    max: sorted.map((values) => values[values.length - 1]),
    mean: means,
    std: elements.map((values, k) => spread(values, means[k])),
    count: [count],
    ...(Object.fromEntries(byQuantile) as Pick<Statistics, keyof typeof quantiles>),
  };
}

/** Linear between the two nearest, as numpy's default. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/**
 * Statistics of all from those of each, as LeRobot's `aggregate_stats` has them: exact but for the
 * quantiles, which are means weighted by frames.
 */
export function aggregate(parts: readonly Statistics[]): Statistics {
  const weights = parts.map((p) => p.count[0]);
  const count = weights.reduce((a, b) => a + b, 0);
  const size = parts[0].mean.length;
  const over = (f: (k: number) => number) => Array.from({ length: size }, (_, k) => f(k));
  const weighted = (f: (p: Statistics) => number) =>
    parts.reduce((sum, p, i) => sum + weights[i] * f(p), 0) / count;
  const mean = over((k) => weighted((p) => p.mean[k]));
  const byQuantile = (Object.keys(quantiles) as (keyof typeof quantiles)[]).map((name) => [
    name,
    over((k) => weighted((p) => p[name][k])),
  ]);
  return {
    min: over((k) => Math.min(...parts.map((p) => p.min[k]))),
    max: over((k) => Math.max(...parts.map((p) => p.max[k]))),
    mean,
    std: over((k) => Math.sqrt(weighted((p) => p.std[k] ** 2 + (p.mean[k] - mean[k]) ** 2))),
    count: [count],
    ...(Object.fromEntries(byQuantile) as Pick<Statistics, keyof typeof quantiles>),
  };
}
