import { useMemo } from 'preact/hooks';
import { hello, learner } from './connection.js';
import { type Line, Plot } from './plot.js';

const LINES = ['--line-1', '--line-2', '--line-3'];
/** Figures of a training run that are drawn, by their names in its metrics. */
const CURVES = [
  { name: 'episode_return', label: 'Return of an episode' },
  { name: 'eval_mean_speed_mps', label: 'Speed in evaluation', unit: 'm/s' },
  { name: 'eval_success_rate', label: 'Success in evaluation' },
  { name: 'critic_loss', label: 'Critic loss' },
] as const;

/** How a run that has no robot yet gets on: where it is, and when it will be over. */
export function TrainingPanel() {
  const { steps, goal } = hello.value!.training!;
  const rows = learner.value;
  const newest = (name: string) => rows.findLast((row) => row.figures[name] !== undefined)?.figures[name];
  const step = newest('step') ?? 0;
  const fill = newest('replay');
  const success = newest('eval_success_rate');
  return (
    <section class="card">
      <h2>
        Learning in simulation <small>{rows.length === 0 ? 'begins' : `step ${count(step)}`}</small>
      </h2>
      <p class="quiet">
        It is over once evaluations pass ({goal}), or after {count(steps)} steps. The robot then starts, and
        this page shows it.
      </p>
      <label class="fill">
        {count(step)} of at most {count(steps)} steps
        <progress value={step} max={steps} />
      </label>
      <dl class="figures">
        <div>
          <dt>Robot time</dt>
          <dd>{(newest('robot_minutes') ?? 0).toFixed(1)} min</dd>
        </div>
        <div>
          <dt>Updates</dt>
          <dd>{count(newest('updates') ?? 0)}</dd>
        </div>
        <div>
          <dt>Success</dt>
          <dd>{success === undefined ? '–' : `${Math.round(100 * success)} %`}</dd>
        </div>
      </dl>
      {fill !== undefined && (
        <label class="fill">
          Replay {count(fill)} of {count(newest('replay_capacity')!)}
          <progress value={fill} max={newest('replay_capacity')} />
        </label>
      )}
    </section>
  );
}

/** The figures over the steps of the run. */
export function TrainingCurves() {
  const rows = learner.value;
  return (
    <section class="traces" aria-label="Learning curves">
      <div class="plots">
        {CURVES.filter(({ name }) => rows.some((row) => row.figures[name] !== undefined)).map((curve, i) => (
          <Curve key={curve.name} {...curve} color={LINES[i % LINES.length]} />
        ))}
      </div>
      {rows.length === 0 && <p class="quiet">Curves come with the first figures.</p>}
    </section>
  );
}

function Curve(props: {
  readonly name: string;
  readonly label: string;
  readonly unit?: string;
  readonly color: string;
}) {
  const { name, label, unit, color } = props;
  const rows = learner.value;
  const lines = useMemo((): readonly Line[] => [{ label, color }], [label, color]);
  const data = useMemo(() => {
    const known = rows.filter((row) => row.figures[name] !== undefined);
    return () =>
      [known.map((row) => row.figures.step), known.map((row) => row.figures[name])] as [number[], number[]];
  }, [rows, name]);
  return <Plot label={label} unit={unit} lines={lines} height={150} data={data} span={[0, 1]} />;
}

function count(n: number): string {
  return n.toLocaleString('en');
}
