import { extent } from '../trainer/svg.js';
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

/** What a world model expects, beside what happened: plain data, for pictures and pages. */
export interface Dream {
  /** Time between two steps. */
  readonly step_s: number;
  /** Steps that the model saw before it went on alone, under the actions that were executed. */
  readonly seen: number;
  /** Of one sequence: the observations that moved most, then the reward. */
  readonly traces: readonly DreamTrace[];
  /** `errorByHorizon` of all sequences, from one step on; null where none is that long. */
  readonly error: readonly (number | null)[];
}

/** Observations among the traces: those that move most. */
const TRACES = 6;
/** A prediction is seen on a screen: nobody needs more. */
const DIGITS = 5;

/**
 * @param channels one for each number of the observation
 * @param step_s time between two steps
 */
export function dreamOf(openLoop: OpenLoop, channels: readonly Channel[], step_s: number): Dream {
  const row = longestRow(openLoop);
  const traces = liveliest(openLoop, row, channels.length).map((o) => traceOf(openLoop, row, o, channels));
  return {
    step_s,
    seen: contextSteps(openLoop.length),
    traces: [...traces, rewardOf(openLoop, row)],
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
function liveliest({ length: T, batch: B, observation }: OpenLoop, row: number, O: number): number[] {
  const range = (values: readonly number[]) => {
    const [low, high] = extent(values);
    return high - low;
  };
  const score = Array.from({ length: O }, (_, o) => {
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
  const O = channels.length;
  const pick = (values: Float32Array, steps: number) =>
    Array.from({ length: steps }, (_, t) => rounded(values[(t * B + row) * O + o]));
  const { name, unit } = channels[o];
  return {
    label: unit === '1' ? name : `${name} (${unit})`,
    observed: pick(observation, T),
    predicted: pick(predicted, T - contextSteps(T)),
  };
}

function rewardOf({ length: T, batch: B, reward, predictedReward }: OpenLoop, row: number): DreamTrace {
  const pick = (values: Float32Array) =>
    Array.from({ length: values.length / B }, (_, t) => rounded(values[t * B + row]));
  return { label: 'reward', observed: pick(reward).slice(0, T), predicted: pick(predictedReward) };
}
