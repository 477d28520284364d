import { between, escapeXml, extent, fixed, formatTick, STYLE, text, ticks } from '../trainer/svg.js';
import type { Dream } from './dream.js';

const WIDTH = 720;
const LEFT = 76;
const RIGHT = 24;
const TOP = 92;
const PANEL_HEIGHT = 84;
const PANEL_GAP = 34;
const BOTTOM = 50;

/**
 * What the model dreams beside what happened: traces of one sequence, its first half seen, the rest predicted from
 * the executed actions alone. A self-contained SVG.
 */
export function dreamPicture({ step_s, seen: C, traces }: Dream): string {
  const T = traces[0].observed.length;
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
