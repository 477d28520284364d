import { useMemo } from 'preact/hooks';
import { worldModel } from './connection.js';
import { type Line, Plot } from './plot.js';

const BESIDE: readonly Line[] = [
  { label: 'measured', color: '--line-1' },
  { label: 'predicted', color: '--line-2' },
];
const ERROR: readonly Line[] = [{ label: 'error', color: '--line-3' }];
/** Guessing the mean has an error of 1. */
const ERROR_SPAN = [0, 1] as const;
/** Digits of a time between two steps that are not the arithmetic's. */
const STEP_DIGITS = 4;

/** What the learner's world model expects, once it sees nothing any more, beside what happened. */
export function WorldModelPanel() {
  const model = worldModel.value;
  if (!model) return null;
  const { traces, step_s, seen } = model;
  const ahead_s = (traces[0].observed.length - seen) * step_s;
  return (
    <section class="traces" aria-label="World model" data-testid="world-model">
      <h2>
        World model <small>what it expects of the next {ahead_s.toFixed(1)} s, beside what happened</small>
      </h2>
      <div class="plots">
        {traces.map((trace, i) => (
          <Trace key={trace.label} index={i} />
        ))}
        <ErrorByHorizon />
      </div>
    </section>
  );
}

/** Seconds from the last step that the model saw. */
const time = (t: number, seen: number, step_s: number) =>
  Number(((t - seen + 1) * step_s).toFixed(STEP_DIGITS));

function Trace({ index }: { readonly index: number }) {
  const model = worldModel.value!;
  const data = useMemo(() => {
    const { traces, step_s, seen } = model;
    const { observed, predicted } = traces[index];
    const none = new Array<null>(seen).fill(null);
    return () =>
      [observed.map((_, t) => time(t, seen, step_s)), [...observed], [...none, ...predicted]] as [
        number[],
        number[],
        (number | null)[],
      ];
  }, [model, index]);
  return <Plot label={model.traces[index].label} lines={BESIDE} height={110} data={data} xUnit="s" />;
}

function ErrorByHorizon() {
  const model = worldModel.value!;
  const data = useMemo(() => {
    const { error, step_s } = model;
    return () => [error.map((_, k) => time(k, 0, step_s)), [...error]] as [number[], (number | null)[]];
  }, [model]);
  return (
    <Plot
      label="Error by horizon (1: guessing the mean)"
      lines={ERROR}
      height={110}
      data={data}
      span={ERROR_SPAN}
      xUnit="s"
    />
  );
}
