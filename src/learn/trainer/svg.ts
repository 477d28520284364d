/** Pieces of charts as self-contained SVG that follow the reader's light or dark theme. */

/** A line of text at a point. @param style a class of `STYLE` */
export function text(
  x: number,
  y: number,
  content: string,
  style: string,
  anchor: 'start' | 'middle' | 'end',
): string {
  return `<text class="${style}" x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

/** Enough digits for a picture. */
export function fixed(x: number): number {
  return Number(x.toFixed(1));
}

/** Round numbers (1, 2 or 5 times a power of ten) that enclose [low, high], about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = power * (span / count / power > 5 ? 10 : [1, 2, 5].find((m) => m * power * count >= span)!);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  // Products of integers and a division, so that 0.3 does not become 0.30000000000000004.
  const inverse = Math.round(1 / step);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    inverse > 1 ? (first + i) / inverse : (first + i) * step,
  );
}

/** Not `Math.min(...values)`: a long run has more values than a call takes arguments. */
export function extent(values: readonly number[]): [low: number, high: number] {
  let [low, high] = [values[0], values[0]];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** All ticks of an axis in the same unit. */
export function formatTick(value: number, axis: readonly number[]): string {
  const largest = Math.max(...axis.map(Math.abs));
  const [divisor, suffix] = largest >= 1e6 ? [1e6, ' M'] : largest >= 1e4 ? [1e3, ' k'] : [1, ''];
  const digits = String(Number((value / divisor).toPrecision(6))).replace('-', '−');
  return value === 0 ? '0' : digits + suffix;
}

/** Where `value` lies between `from` and `to` when those are the first and the last tick. */
export function between(value: number, axis: readonly number[], from: number, to: number): number {
  const [low, high] = [axis[0], axis[axis.length - 1]];
  return fixed(from + ((to - from) * (value - low)) / (high - low));
}

export function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Colours and fonts by class, for both themes. */
export const STYLE = `<style>
  .page { fill: #ffffff }
  text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .label { font-size: 12.5px; font-weight: 500 }
  .tick { font-size: 11.5px; fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .goal { fill: #2da44e; opacity: 0.14 }
  polyline { fill: none; stroke-linejoin: round }
  .seen { fill: #818b98; opacity: 0.12 }
  .dreamt { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 5 3 }
  .seed { stroke: #0969da; stroke-width: 1; opacity: 0.5 }
  .mean { stroke: #0969da; stroke-width: 2.2 }
  circle { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
    .tick { fill: #9198a1 }
    .grid { stroke: #30363d }
    .goal { fill: #3fb950; opacity: 0.2 }
    .dreamt { stroke: #f0883e }
    .seed, .mean { stroke: #58a6ff }
    circle { fill: #58a6ff }
  }
</style>`;
