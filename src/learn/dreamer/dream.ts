import type { ImageShape } from '../../tasks/task.js';
import { extent } from '../trainer/svg.js';
import { pixelsOf } from './images.js';
import { contextSteps, errorByHorizon, type OpenLoop } from './openLoop.js';

/** One number of the observation. */
export interface Channel {
  readonly name: string;
  readonly unit: string;
}

/** One number over the steps of a sequence. */
export interface DreamTrace {
  readonly label: string;
  /** At all steps. */
  readonly observed: readonly number[];
  /** At those after the steps that were seen. */
  readonly predicted: readonly number[];
}

/** A few pictures after the steps that were seen. Each is rows of pixels from the top, from 0 to 1. */
export interface DreamPictures {
  readonly width: number;
  readonly height: number;
  readonly shown: readonly {
    /** Steps since the last that was seen. */
    readonly horizon: number;
    readonly observed: readonly number[];
    readonly predicted: readonly number[];
  }[];
}

/** What a world model expects, beside what happened: plain data, for pictures and pages. */
export interface Dream {
  /** Time between two steps. */
  readonly step_s: number;
  /** Steps that the model saw before it went on alone, under the actions that were executed. */
  readonly seen: number;
  /** Of one sequence: the observations that moved most, then the reward. */
  readonly traces: readonly DreamTrace[];
  /** Of a robot with a camera: what it saw in the same sequence, and what the model expected to see. */
  readonly pictures?: DreamPictures;
  /** `errorByHorizon` of all sequences, from one step on; null where none is that long. */
  readonly error: readonly (number | null)[];
}

/** Observations among the traces: those that move most. */
const TRACES = 6;
/** Pictures shown of a sequence. */
const PICTURES = 6;
/** A prediction is seen on a screen: nobody needs more. */
const DIGITS = 5;
/** Of a pixel: 256 shades are seen. */
const PIXEL_DIGITS = 3;

/**
 * @param channels one for each number of the observation, those of its picture left out
 * @param step_s time between two steps
 */
export function dreamOf(openLoop: OpenLoop, channels: readonly Channel[], step_s: number): Dream {
  const row = longestRow(openLoop);
  const traces = liveliest(openLoop, row, channels.length).map((o) => traceOf(openLoop, row, o, channels));
  return {
    step_s,
    seen: contextSteps(openLoop.length),
    traces: [...traces, rewardOf(openLoop, row)],
    ...(openLoop.image && { pictures: picturesOf(openLoop, openLoop.image, row) }),
    error: errorByHorizon(openLoop).map((error) => (Number.isFinite(error) ? rounded(error) : null)),
  };
}

const rounded = (x: number): number => Number(x.toPrecision(DIGITS));

/** Of the sequences whose episode goes on longest after the first half, the first. */
function longestRow({ length: T, batch: B, first }: OpenLoop): number {
  const C = contextSteps(T);
  const steps = Array.from({ length: B }, (_, b) => {
    let t = C;
    while (t < T && first[t * B + b] === 0) t++;
    return t;
  });
  return steps.indexOf(Math.max(...steps));
}

/** The observations that move most in this sequence, beside what they do in all of the batch. */
function liveliest({ length: T, batch: B, observation }: OpenLoop, row: number, channels: number): number[] {
  const O = observation.length / T / B;
  const range = (values: readonly number[]) => {
    const [low, high] = extent(values);
    return high - low;
  };
  const score = Array.from({ length: channels }, (_, o) => {
    const all = Array.from({ length: T * B }, (_, i) => observation[i * O + o]);
    return range(all.filter((_, i) => i % B === row)) / (range(all) + 1e-6);
  });
  return [...score.keys()]
    .sort((a, b) => score[b] - score[a])
    .slice(0, TRACES)
    .sort((a, b) => a - b);
}

function traceOf(openLoop: OpenLoop, row: number, o: number, channels: readonly Channel[]): DreamTrace {
  const { length: T, batch: B, observation, predicted } = openLoop;
  const O = observation.length / T / B;
  const pick = (values: Float32Array, steps: number) =>
    Array.from({ length: steps }, (_, t) => rounded(values[(t * B + row) * O + o]));
  const { name, unit } = channels[o];
  return {
    label: unit === '1' ? name : `${name} (${unit})`,
    observed: pick(observation, T),
    predicted: pick(predicted, T - contextSteps(T)),
  };
}

function picturesOf(openLoop: OpenLoop, image: ImageShape, row: number): DreamPictures {
  const { length: T, batch: B, observation, predicted } = openLoop;
  const C = contextSteps(T);
  const O = observation.length / T / B;
  const picture = (values: Float32Array, t: number) => {
    const end = (t * B + row + 1) * O;
    return Array.from(values.subarray(end - pixelsOf(image), end), (x) => Number(x.toFixed(PIXEL_DIGITS)));
  };
  const count = Math.min(PICTURES, T - C);
  const shown = Array.from({ length: count }, (_, i) => {
    const k = Math.round(((i + 1) * (T - C)) / count) - 1;
    return { horizon: k + 1, observed: picture(observation, C + k), predicted: picture(predicted, k) };
  });
  return { width: image.width, height: image.height, shown };
}

function rewardOf({ length: T, batch: B, reward, predictedReward }: OpenLoop, row: number): DreamTrace {
  const pick = (values: Float32Array) =>
    Array.from({ length: values.length / B }, (_, t) => rounded(values[t * B + row]));
  return { label: 'reward', observed: pick(reward).slice(0, T), predicted: pick(predictedReward) };
}
