import { useMemo, useRef } from 'preact/hooks';
import { status } from './connection.js';
import { type Line, Plot } from './plot.js';

const KEPT = 240;
const LINES: readonly Line[] = [
  { label: 'median', color: '--line-1' },
  { label: '99 %', color: '--line-2' },
];

/** How punctual the control loop is. */
export function LoopPanel() {
  const s = status.value;
  const past = useRef<{ seconds: number; p50: number; p99: number }[]>([]);
  const newest = past.current.at(-1);
  if (s && s.seconds !== newest?.seconds) {
    if (newest && s.seconds < newest.seconds) past.current = [];
    past.current = [...past.current, { seconds: s.seconds, p50: s.late_p50_ms, p99: s.late_p99_ms }].slice(
      -KEPT,
    );
  }
  const rows = past.current;
  const data = useMemo(
    () => () =>
      rows.length > 1
        ? ([rows.map((r) => r.seconds), rows.map((r) => r.p50), rows.map((r) => r.p99)] as [
            number[],
            number[],
            number[],
          ])
        : undefined,
    [rows],
  );
  if (!s) return null;
  return (
    <section class="card">
      <h2>
        Control loop <small>{s.ticks.toLocaleString('en')} ticks</small>
      </h2>
      <Plot
        label="Lateness since the start"
        unit="ms"
        lines={LINES}
        height={90}
        data={data}
        span={[0, 0.2]}
        xUnit=" s"
      />
      <dl class="figures">
        <div>
          <dt>Latest</dt>
          <dd>{s.late_max_ms.toFixed(1)} ms</dd>
        </div>
        <div>
          <dt>Ticks missed</dt>
          <dd>{s.missed_ticks}</dd>
        </div>
        <div>
          <dt>Drive watchdog</dt>
          <dd>{s.drive_watchdog}</dd>
        </div>
      </dl>
    </section>
  );
}
