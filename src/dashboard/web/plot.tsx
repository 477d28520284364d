import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly label: string;
  /** Name of a CSS custom property. */
  readonly color: string;
  readonly dash?: readonly number[];
  readonly points?: boolean;
}

export interface PlotProps {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly height: number;
  /** [x, y of each line]; asked for whenever the plot is to be drawn. */
  readonly data: () => uPlot.AlignedData | undefined;
  /** Drawn anew this often while it is in sight, ms; else when `data` is another function. */
  readonly every_ms?: number;
  /** Of the x axis; all that there is where not given. */
  readonly window?: readonly [number, number];
  /** The least that the y axis shows. */
  readonly span?: readonly [number, number];
  readonly unit?: string;
  readonly xUnit?: string;
}

const darkly = matchMedia('(prefers-color-scheme: dark)');

/** A line plot that draws itself only while it is in sight. */
export function Plot({ label, lines, height, data, every_ms, window, span, unit, xUnit }: PlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const newest = useRef(data);
  newest.current = data;
  const draw = useRef(() => {});

  useEffect(() => {
    const element = holder.current!;
    const css = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
    let plot: uPlot | undefined;
    let visible = false;
    const renew = () => {
      if (!visible || document.hidden) return;
      const values = newest.current();
      if (values) plot?.setData(values);
    };
    const build = () => {
      plot?.destroy();
      const axis = {
        stroke: css('--quiet'),
        grid: { stroke: css('--grid'), width: 1 },
        ticks: { show: false },
        font: '11px system-ui, sans-serif',
      };
      plot = new uPlot(
        {
          width: element.clientWidth || 300,
          height,
          legend: { show: false },
          cursor: { show: false },
          padding: [6, 14, 0, 0],
          scales: {
            x: window ? { time: false, range: [...window] } : { time: false },
            y: { range: (_plot, low, high) => rangeOf(low, high, span) },
          },
          axes: [
            { ...axis, size: 22, space: 60, values: (_p, v) => v.map((x) => `${x}${xUnit ?? ''}`) },
            { ...axis, size: 44, space: 26, values: (_p, v) => v.map((y) => shortly(y)) },
          ],
          series: [
            {},
            ...lines.map((line) => ({
              label: line.label,
              stroke: css(line.color),
              width: 1.25,
              dash: line.dash && [...line.dash],
              points: { show: line.points ?? false, size: 4, fill: css(line.color) },
            })),
          ],
        },
        newest.current() ?? [[], ...lines.map(() => [])],
        element,
      );
    };
    build();
    draw.current = renew;
    const size = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height }));
    size.observe(element);
    const sight = new IntersectionObserver(([entry]) => {
      visible = entry.isIntersecting;
      renew();
    });
    sight.observe(element);
    darkly.addEventListener('change', build);
    const timer = every_ms ? setInterval(renew, every_ms) : undefined;
    return () => {
      clearInterval(timer);
      size.disconnect();
      sight.disconnect();
      darkly.removeEventListener('change', build);
      plot?.destroy();
    };
    // A plot of other lines is another plot.
  }, [lines, height, every_ms]);

  useEffect(() => {
    if (!every_ms) draw.current();
  }, [data]);

  return (
    <figure class="plot">
      <figcaption>
        <span>
          {label}
          {unit && <small> {unit}</small>}
        </span>
        <span class="legend">
          {lines.length > 1 &&
            lines
              .filter((line) => !line.dash)
              .map((line) => (
                <span key={line.label} style={{ color: `var(${line.color})` }}>
                  {line.label}
                </span>
              ))}
        </span>
      </figcaption>
      <div ref={holder} style={{ height: `${height}px` }} />
    </figure>
  );
}

/** What there is, with a little room, and no less than `span`. */
function rangeOf(
  low: number | null,
  high: number | null,
  span: readonly [number, number] | undefined,
): [number, number] {
  const from = Math.min(low ?? span?.[0] ?? 0, span?.[0] ?? Number.POSITIVE_INFINITY);
  const to = Math.max(high ?? span?.[1] ?? 1, span?.[1] ?? Number.NEGATIVE_INFINITY);
  const room = 0.06 * (to - from || 1);
  return [from - room, to + room];
}

function shortly(y: number): string {
  if (Math.abs(y) >= 1e4) return `${Math.round(y / 1e3)}k`;
  return String(Number(y.toPrecision(3)));
}
