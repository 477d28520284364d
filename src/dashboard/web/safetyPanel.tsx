import { events, status } from './connection.js';
import { inWords } from './statusBar.js';

const SHOWN = 40;

/** Interventions of the safety kernel, newest first. */
export function SafetyPanel() {
  const s = status.value;
  const shown = events.value.slice(-SHOWN).reverse();
  const newest_s = shown[0]?.time_s ?? 0;
  return (
    <section class="card">
      <h2>
        Safety <small>{s?.safety_events ?? 0} interventions</small>
      </h2>
      {shown.length === 0 ? (
        <p class="quiet">None since the start.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
        <ol class="events" tabIndex={0} aria-label="Interventions, newest first">
          {shown.map((event, i) => (
            <li key={shown.length - i} class={event.stops ? 'stops' : ''}>
              <span>
                {inWords(event.cause)}
                {event.joint && <small> {event.joint.replaceAll('_', ' ')}</small>}
              </span>
              <span class="number">{limitOf(event.value, event.limit)}</span>
              <time>
                {event.time_s === newest_s ? 'newest' : `−${(newest_s - event.time_s).toFixed(1)} s`}
              </time>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function limitOf(value: number | null, limit: number | null): string {
  if (value === null || limit === null || (value === 0 && limit === 0)) return '';
  return `${value.toFixed(2)} / ${limit.toFixed(2)}`;
}
