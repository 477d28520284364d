import type { MetricsRow } from './metrics.js';
import { between, escapeXml, extent, fixed, formatTick, STYLE, text, ticks } from './svg.js';

export interface CurveRun {
  /** "seed 3", say. */
  readonly name: string;
  readonly rows: readonly MetricsRow[];
}

export interface CurvePanel {
  /** The figure in the metrics that is drawn. */
  readonly key: string;
  readonly label: string;
  readonly unit?: string;
  /** A range that counts as reached, drawn as a band. */
  readonly goal?: readonly [low: number, high: number];
}

export interface CurveOptions {
  readonly title: string;
  /** The figure along the horizontal axis; default `step`. */
  readonly xKey?: string;
  readonly xLabel?: string;
  /** One below the other, over a shared horizontal axis. */
  readonly panels: readonly CurvePanel[];
}

const WIDTH = 720;
const LEFT = 76;
const RIGHT = 24;
const TOP = 86;
const PANEL_HEIGHT = 170;
const PANEL_GAP = 34;
const BOTTOM = 52;
/** Where seeds are averaged, across the range that all of them cover. */
const MEAN_POINTS = 120;

type Point = readonly [x: number, y: number];

/**
 * A learning curve as a self-contained SVG that follows the reader's light or dark theme. One run is
 * one line; several are faint lines with their mean over the range that all of them cover.
 */
export function learningCurve(runs: readonly CurveRun[], options: CurveOptions): string {
  const { title, xKey = 'step', xLabel = 'Environment steps', panels } = options;
  const lines = panels.map((panel) => runs.map((run) => points(run.rows, xKey, panel.key)));
  const xs = lines.flat(2).map(([x]) => x);
  const xTicks = ticks(...extent([0, ...(xs.length > 0 ? xs : [1])]), 6);
  const height = TOP + panels.length * (PANEL_HEIGHT + PANEL_GAP) - PANEL_GAP + BOTTOM;
  const drawn = panels.map((panel, i) =>
    drawPanel(panel, lines[i], xTicks, TOP + i * (PANEL_HEIGHT + PANEL_GAP)),
  );
  const xAxis = xTicks.map((x) => {
    const at = between(x, xTicks, LEFT, WIDTH - RIGHT);
    return text(at, height - BOTTOM + 18, formatTick(x, xTicks), 'tick', 'middle');
  });
  const several = runs.length > 1;
  const legend = several
    ? [
        `<line class="seed" x1="${LEFT}" x2="${LEFT + 24}" y1="44" y2="44"/>`,
        text(LEFT + 30, 48, 'one seed', 'tick', 'start'),
        `<line class="mean" x1="${LEFT + 110}" x2="${LEFT + 134}" y1="44" y2="44"/>`,
        text(LEFT + 140, 48, `mean of ${runs.length}`, 'tick', 'start'),
      ]
    : runs.map((run) => text(LEFT, 48, run.name, 'tick', 'start'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    text(LEFT, 26, title, 'title', 'start'),
    ...legend,
    ...drawn,
    ...xAxis,
    text((LEFT + WIDTH - RIGHT) / 2, height - 12, xLabel, 'label', 'middle'),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(
  panel: CurvePanel,
  lines: readonly Point[][],
  xTicks: readonly number[],
  top: number,
): string {
  const bottom = top + PANEL_HEIGHT;
  const name = panel.unit ? `${panel.label} (${panel.unit})` : panel.label;
  const out = [text(LEFT, top - 8, name, 'label', 'start')];
  const ys = [...lines.flat().map(([, y]) => y), ...(panel.goal ?? [])];
  if (lines.flat().length === 0) {
    out.push(text((LEFT + WIDTH - RIGHT) / 2, (top + bottom) / 2, 'no values yet', 'tick', 'middle'));
    ys.push(0, 1);
  }
  const yTicks = ticks(...extent(ys), 6);
  const x = (value: number) => between(value, xTicks, LEFT, WIDTH - RIGHT);
  const y = (value: number) => between(value, yTicks, bottom, top);
  if (panel.goal) {
    const [low, high] = panel.goal;
    out.push(
      `<rect class="goal" x="${LEFT}" width="${WIDTH - LEFT - RIGHT}" y="${y(high)}" height="${fixed(y(low) - y(high))}"/>`,
      text(WIDTH - RIGHT - 6, y(low) - 5, 'goal', 'tick', 'end'),
    );
  }
  for (const tick of yTicks)
    out.push(
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/>`,
      text(LEFT - 8, y(tick) + 4, formatTick(tick, yTicks), 'tick', 'end'),
    );
  for (const tick of xTicks)
    out.push(`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${bottom}"/>`);
  const polyline = (line: readonly Point[], style: string) =>
    line.length === 1
      ? `<circle class="${style}" cx="${x(line[0][0])}" cy="${y(line[0][1])}" r="2"/>`
      : `<polyline class="${style}" points="${line.map(([a, b]) => `${x(a)},${y(b)}`).join(' ')}"/>`;
  const present = lines.filter((line) => line.length > 0);
  for (const line of present) out.push(polyline(line, present.length > 1 ? 'seed' : 'mean'));
  const mean = present.length > 1 ? meanOf(present) : [];
  if (mean.length > 0) out.push(polyline(mean, 'mean'));
  return out.join('\n');
}

/** The rows that have both figures, in order of x. */
function points(rows: readonly MetricsRow[], xKey: string, yKey: string): Point[] {
  return rows
    .flatMap((row): Point[] => {
      const [x, y] = [row[xKey], row[yKey]];
      return typeof x === 'number' && typeof y === 'number' ? [[x, y]] : [];
    })
    .sort(([a], [b]) => a - b);
}

/** The mean of the lines, each interpolated linearly, where all of them have values. */
export function meanOf(lines: readonly (readonly Point[])[]): Point[] {
  if (lines.length === 0) return [];
  const from = Math.max(...lines.map((line) => line[0][0]));
  const to = Math.min(...lines.map((line) => line[line.length - 1][0]));
  if (from > to) return [];
  const count = from === to ? 1 : MEAN_POINTS;
  return Array.from({ length: count }, (_, i): Point => {
    const x = count === 1 ? from : from + ((to - from) * i) / (count - 1);
    return [x, lines.reduce((sum, line) => sum + interpolate(line, x), 0) / lines.length];
  });
}

function interpolate(line: readonly Point[], x: number): number {
  const right = line.findIndex(([a]) => a >= x);
  if (right === -1) return line[line.length - 1][1];
  if (right === 0) return line[0][1];
  const [[x0, y0], [x1, y1]] = [line[right - 1], line[right]];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
