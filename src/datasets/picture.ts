import type { Column, Episode, Features } from './features.js';
import { sizeOf } from './features.js';

const WIDTH = 900;
const PANEL = 120;
const GAP = 34;
const LEFT = 70;
const RIGHT = 150;
const COLORS = [
  '#4269d0',
  '#efb118',
  '#ff725c',
  '#6cc5b0',
  '#3ca951',
  '#ff8ab7',
  '#a463f2',
  '#97bbf5',
  '#9c6b4e',
];
const PICTURES = 8;
const PICTURE_PX = 84;

interface Panel {
  readonly title: string;
  readonly lines: readonly {
    readonly name: string;
    readonly values: readonly number[];
    readonly dashed: boolean;
  }[];
}

/**
 * An episode as one picture: where the joints were and, dashed, where they were told to be; reward; spans
 * in which a person commanded, shaded; pictures of each camera.
 */
export function drawEpisode(episode: Episode, features: Features, fps: number, title: string): string {
  const panels = panelsOf(episode, features);
  const cameras = Object.keys(features).filter((name) => features[name].dtype === 'image');
  const height = 60 + panels.length * (PANEL + GAP) + cameras.length * (PICTURE_PX + GAP) + 10;
  const parts = panels.map((panel, i) => drawPanel(panel, 60 + i * (PANEL + GAP), episode, fps));
  const top = 60 + panels.length * (PANEL + GAP);
  cameras.forEach((name, c) => {
    parts.push(
      drawPictures(name, episode.columns[name] as readonly Uint8Array[], top + c * (PICTURE_PX + GAP)),
    );
  });
  const about = [
    `${episode.length} frames, ${(episode.length / fps).toFixed(1)} s`,
    episode.outcome || 'no outcome given',
    episode.operator && `by ${episode.operator}`,
    episode.notes,
  ].filter(Boolean);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui,sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="24" font-size="15" font-weight="600">${escaped(title)}: ${escaped(episode.task)}</text>
<text x="16" y="42" fill="#555">${escaped(about.join(' · '))}</text>
${parts.join('\n')}
</svg>
`;
}

function panelsOf({ columns }: Episode, features: Features): Panel[] {
  const panels: Panel[] = [];
  const lines = (name: string, dashed: boolean) => {
    const size = sizeOf(features[name]);
    const { names } = features[name];
    const flat = columns[name] as Float64Array;
    return Array.from({ length: size }, (_, k) => ({
      name: Array.isArray(names) ? names[k] : size === 1 ? name : `${name} ${k}`,
      values: Array.from(flat.filter((_, i) => i % size === k)),
      dashed,
    }));
  };
  if (features['observation.state'])
    panels.push({
      title: 'joints, rad (dashed: executed targets)',
      lines: [...lines('observation.state', false), ...(features.action ? lines('action', true) : [])],
    });
  else if (features.action) panels.push({ title: 'action', lines: lines('action', false) });
  if (features['observation.environment_state'])
    panels.push({ title: 'objects, m', lines: lines('observation.environment_state', false) });
  if (features['next.reward']) panels.push({ title: 'reward', lines: lines('next.reward', false) });
  return panels;
}

function drawPanel({ title, lines }: Panel, top: number, episode: Episode, fps: number): string {
  const all = lines.flatMap((l) => l.values);
  const low = Math.min(...all);
  const high = Math.max(...all, low + 1e-6);
  const x = (i: number) => LEFT + ((WIDTH - LEFT - RIGHT) * i) / Math.max(1, episode.length - 1);
  const y = (v: number) => top + PANEL - (PANEL * (v - low)) / (high - low);
  const color = new Map<string, string>();
  for (const { name } of lines) if (!color.has(name)) color.set(name, COLORS[color.size % COLORS.length]);
  const curves = lines.map(({ name, values, dashed }) => {
    const points = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
    const dash = dashed ? ' stroke-dasharray="3 3" opacity="0.7"' : '';
    return `<polyline points="${points}" fill="none" stroke="${color.get(name)}" stroke-width="1.3"${dash}/>`;
  });
  const legend = [...color].map(
    ([name, c], i) =>
      `<text x="${WIDTH - RIGHT + 10}" y="${top + 10 + 13 * i}" fill="${c}">${escaped(name)}</text>`,
  );
  const shaded = spans(episode.columns.intervention).map(
    ([from, to]) =>
      `<rect x="${x(from).toFixed(1)}" y="${top}" width="${(x(to) - x(from)).toFixed(1)}" height="${PANEL}" fill="#efb118" opacity="0.12"/>`,
  );
  return `<g><text x="${LEFT}" y="${top - 6}" font-weight="600">${escaped(title)}</text>
<text x="${LEFT - 6}" y="${top + 9}" text-anchor="end" fill="#555">${high.toPrecision(3)}</text>
<text x="${LEFT - 6}" y="${top + PANEL}" text-anchor="end" fill="#555">${low.toPrecision(3)}</text>
<text x="${WIDTH - RIGHT}" y="${top + PANEL + 13}" text-anchor="end" fill="#555">${((episode.length - 1) / fps).toFixed(1)} s</text>
${shaded.join('')}<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${PANEL}" fill="none" stroke="#ddd"/>
${curves.join('\n')}${legend.join('')}</g>`;
}

/** Runs of frames with the flag set. */
function spans(column: Column | undefined): [number, number][] {
  const flags = (column ?? []) as ArrayLike<number>;
  const found: [number, number][] = [];
  for (let i = 0; i < flags.length; i++) {
    if (!flags[i]) continue;
    if (i > 0 && flags[i - 1]) found[found.length - 1][1] = i;
    else found.push([i, i]);
  }
  return found;
}

function drawPictures(name: string, images: readonly Uint8Array[], top: number): string {
  const shown = Array.from({ length: Math.min(PICTURES, images.length) }, (_, i) =>
    Math.round((i * (images.length - 1)) / Math.max(1, PICTURES - 1)),
  );
  const pictures = shown.map((frame, i) => {
    const data = Buffer.from(images[frame]).toString('base64');
    return `<image x="${LEFT + i * (PICTURE_PX + 6)}" y="${top}" width="${PICTURE_PX}" height="${PICTURE_PX}" image-rendering="pixelated" href="data:image/png;base64,${data}"/>`;
  });
  return `<g><text x="${LEFT}" y="${top - 6}" font-weight="600">${escaped(name)}</text>${pictures.join('')}</g>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
