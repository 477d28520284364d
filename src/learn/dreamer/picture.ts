import { between, escapeXml, extent, fixed, formatTick, STYLE, text, ticks } from '../trainer/svg.js';
import { contextSteps, type OpenLoop } from './openLoop.js';

/** One number of the observation. */
export interface Channel {
  readonly name: string;
  readonly unit: string;
}

const WIDTH = 720;
const LEFT = 76;
const RIGHT = 24;
const TOP = 92;
const PANEL_HEIGHT = 84;
const PANEL_GAP = 34;
const BOTTOM = 50;
/** Traces in a picture: those that move most. */
const TRACES = 6;

/**
 * What the model dreams beside what happened: traces of one sequence, its first half seen, the rest predicted from
 * the executed actions alone. A self-contained SVG.
 * @param channels one for each number of the observation
 * @param step_s time between two steps
 */
export function dreamPicture(openLoop: OpenLoop, channels: readonly Channel[], step_s: number): string {
  const { length: T } = openLoop;
  const C = contextSteps(T);
  const row = longestRow(openLoop);
  const traces = [
    ...liveliest(openLoop, row, channels.length).map((o) => traceOf(openLoop, row, o, channels)),
    rewardOf(openLoop, row),
  ];
  // Seconds from the last step that was seen.
  const time = (t: number) => (t - C + 1) * step_s;
  const xTicks = ticks(time(0), time(T - 1), 8);
  const x = (t: number) => between(time(t), xTicks, LEFT, WIDTH - RIGHT);
  const height = TOP + traces.length * (PANEL_HEIGHT + PANEL_GAP) - PANEL_GAP + BOTTOM;
  const panels = traces.map(({ label, observed, predicted }, i) => {
    const top = TOP + i * (PANEL_HEIGHT + PANEL_GAP);
    const bottom = top + PANEL_HEIGHT;
    const yTicks = ticks(...extent([...observed, ...predicted]), 3);
    const y = (value: number) => between(value, yTicks, bottom, top);
    const line = (values: readonly number[], from: number, style: string) =>
      `<polyline class="${style}" points="${values.map((v, t) => `${x(from + t)},${y(v)}`).join(' ')}"/>`;
    return [
      text(LEFT, top - 7, label, 'label', 'start'),
      `<rect class="seen" x="${x(0)}" width="${fixed(x(C - 1) - x(0))}" y="${top}" height="${PANEL_HEIGHT}"/>`,
      ...yTicks.flatMap((tick) => [
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/>`,
        text(LEFT - 8, y(tick) + 4, formatTick(tick, yTicks), 'tick', 'end'),
      ]),
      line(observed, 0, 'mean'),
      line(predicted, C, 'dreamt'),
    ].join('\n');
  });
  const title = 'What the world model expects, beside what happened';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    text(LEFT, 26, title, 'title', 'start'),
    `<line class="mean" x1="${LEFT}" x2="${LEFT + 24}" y1="48" y2="48"/>`,
    text(LEFT + 30, 52, 'measured', 'tick', 'start'),
    `<line class="dreamt" x1="${LEFT + 110}" x2="${LEFT + 134}" y1="48" y2="48"/>`,
    text(LEFT + 140, 52, 'predicted; grey: seen before', 'tick', 'start'),
    ...panels,
    ...xTicks.map((tick) =>
      text(
        between(tick, xTicks, LEFT, WIDTH - RIGHT),
        height - BOTTOM + 18,
        formatTick(tick, xTicks),
        'tick',
        'middle',
      ),
    ),
    text((LEFT + WIDTH - RIGHT) / 2, height - 12, 'Horizon (s)', 'label', 'middle'),
    '</svg>',
    '',
  ].join('\n');
}

interface Trace {
  readonly label: string;
  /** All steps, and those after the first half. */
  readonly observed: readonly number[];
  readonly predicted: readonly number[];
}

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

function traceOf(openLoop: OpenLoop, row: number, o: number, channels: readonly Channel[]): Trace {
  const { length: T, batch: B, observation, predicted } = openLoop;
  const O = channels.length;
  const pick = (values: Float32Array, steps: number) =>
    Array.from({ length: steps }, (_, t) => values[(t * B + row) * O + o]);
  const { name, unit } = channels[o];
  return {
    label: unit === '1' ? name : `${name} (${unit})`,
    observed: pick(observation, T),
    predicted: pick(predicted, T - contextSteps(T)),
  };
}

function rewardOf({ length: T, batch: B, reward, predictedReward }: OpenLoop, row: number): Trace {
  const pick = (values: Float32Array) =>
    Array.from({ length: values.length / B }, (_, t) => values[t * B + row]);
  return { label: 'reward', observed: pick(reward).slice(0, T), predicted: pick(predictedReward) };
}
