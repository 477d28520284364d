import { between, escapeXml, extent, fixed, formatTick, STYLE, text, ticks } from '../trainer/svg.js';
import type { Dream, DreamPictures } from './dream.js';

const WIDTH = 720;
const LEFT = 76;
const RIGHT = 24;
const TOP = 92;
const PANEL_HEIGHT = 84;
const PANEL_GAP = 34;
const BOTTOM = 50;
const PICTURE_PX = 96;
const PICTURE_GAP = 8;

/**
 * What the model dreams beside what happened: traces of one sequence, its first half seen, the rest predicted from
 * the executed actions alone. A self-contained SVG.
 */
export function dreamPicture({ step_s, seen: C, traces, pictures }: Dream): string {
  const T = traces[0].observed.length;
  // Seconds from the last step that was seen.
  const time = (t: number) => (t - C + 1) * step_s;
  const xTicks = ticks(time(0), time(T - 1), 8);
  const x = (t: number) => between(time(t), xTicks, LEFT, WIDTH - RIGHT);
  const below = TOP + traces.length * (PANEL_HEIGHT + PANEL_GAP) - PANEL_GAP + BOTTOM;
  const height = below + (pictures ? 2 * (PICTURE_PX + PICTURE_GAP) + BOTTOM : 0);
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
        below - BOTTOM + 18,
        formatTick(tick, xTicks),
        'tick',
        'middle',
      ),
    ),
    text((LEFT + WIDTH - RIGHT) / 2, below - 12, 'Horizon (s)', 'label', 'middle'),
    ...(pictures ? [pictureRows(pictures, step_s, below + BOTTOM / 2)] : []),
    '</svg>',
    '',
  ].join('\n');
}

/** What the camera saw above what was expected, at some horizons. */
function pictureRows({ width, height, shown }: DreamPictures, step_s: number, top: number): string {
  const rows = (['observed', 'predicted'] as const).map((key, r) => {
    const y = top + r * (PICTURE_PX + PICTURE_GAP);
    const images = shown.map(
      (at, i) =>
        `<image x="${LEFT + i * (PICTURE_PX + PICTURE_GAP)}" y="${y}" width="${PICTURE_PX}" height="${PICTURE_PX}" style="image-rendering:pixelated" href="${bitmap(at[key], width, height)}"/>`,
    );
    const label = key === 'observed' ? 'measured' : key;
    return [text(LEFT - 8, y + PICTURE_PX / 2, label, 'tick', 'end'), ...images].join('\n');
  });
  const times = shown.map(({ horizon }, i) => {
    const x = LEFT + i * (PICTURE_PX + PICTURE_GAP) + PICTURE_PX / 2;
    return text(x, top - 6, `${Number((horizon * step_s).toFixed(3))} s`, 'tick', 'middle');
  });
  return [...times, ...rows].join('\n');
}

/** Shades of gray as the data URL of a Windows bitmap: 8 bits a pixel, a palette, rows from the bottom. */
function bitmap(pixels: readonly number[], width: number, height: number): string {
  const HEADERS = 14 + 40;
  const PALETTE = 4 * 256;
  const bytes = Buffer.alloc(HEADERS + PALETTE + width * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(HEADERS + PALETTE, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(8, 28);
  for (let shade = 0; shade < 256; shade++) bytes.fill(shade, HEADERS + 4 * shade, HEADERS + 4 * shade + 3);
  // Sides are multiples of 4, so rows need no filling up.
  for (const [p, value] of pixels.entries()) {
    const row = height - 1 - Math.floor(p / width);
    bytes[HEADERS + PALETTE + row * width + (p % width)] = Math.round(255 * value);
  }
  return `data:image/bmp;base64,${bytes.toString('base64')}`;
}
