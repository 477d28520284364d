import { useMemo } from 'preact/hooks';
import { episodes, learner } from './connection.js';
import { type Line, Plot } from './plot.js';

const RETURN: readonly Line[] = [{ label: 'return', color: '--line-1', points: true }];
const LOSS: readonly Line[] = [{ label: 'critic loss', color: '--line-2' }];

/** How learning goes: the return of each episode, and the learner's own figures. */
export function LearningPanel() {
  const rows = learner.value;
  const newest = rows.at(-1)?.figures;
  const ended = episodes.value;
  const returns = useMemo(
    () => () =>
      ended.length > 0
        ? ([ended.map((e) => e.episode), ended.map((e) => e.return)] as [number[], number[]])
        : undefined,
    [ended],
  );
  const lossName = newest && Object.keys(newest).find((name) => /critic.*loss|loss.*critic/.test(name));
  const losses = useMemo(() => {
    const known = lossName ? rows.filter((r) => r.figures[lossName] !== undefined) : [];
    return () =>
      known.length > 1
        ? ([known.map((r) => r.figures.updates), known.map((r) => r.figures[lossName!])] as [
            number[],
            number[],
          ])
        : undefined;
  }, [rows, lossName]);
  const fill = newest?.replay_capacity ? newest.replay / newest.replay_capacity : undefined;
  return (
    <section class="card">
      <h2>
        Learning <small>{newest ? `${newest.updates_per_s.toFixed(0)} updates/s` : 'no learner'}</small>
      </h2>
      <Plot label="Return of each episode" lines={RETURN} height={110} data={returns} span={[0, 1]} />
      {newest && (
        <>
          <dl class="figures">
            <div>
              <dt>Updates</dt>
              <dd>{newest.updates.toLocaleString('en')}</dd>
            </div>
            <div>
              <dt>Candidates</dt>
              <dd>{newest.candidates ?? 0}</dd>
            </div>
            <div>
              <dt>Handed over</dt>
              <dd>{newest.published ?? 0}</dd>
            </div>
          </dl>
          {fill !== undefined && (
            <label class="fill">
              Replay {newest.replay.toLocaleString('en')} of {newest.replay_capacity.toLocaleString('en')}
              <progress value={fill} max={1} />
            </label>
          )}
          {lossName && <Plot label="Critic loss" lines={LOSS} height={80} data={losses} />}
        </>
      )}
    </section>
  );
}
