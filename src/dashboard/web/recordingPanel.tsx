import type { RecordingAction } from '../protocol.js';
import { ask, status } from './connection.js';

const LABELS: readonly (readonly [action: RecordingAction, text: string])[] = [
  ['success', 'Success'],
  ['failure', 'Failure'],
  ['discard', 'Discard'],
];

/** The recording, where there is one: labels of its episodes, and what begins the next. */
export function RecordingPanel() {
  const recording = status.value?.recording;
  if (!recording) return null;
  const { episode, running, paused, byOperator, messages } = recording;
  const act = (action: RecordingAction) => () => ask({ kind: 'record', action });
  const begins = byOperator && !running;
  return (
    <section class="card">
      <h2>
        Recording <small>{messages.toLocaleString('en')} messages</small>
      </h2>
      <p class="quiet" data-testid="recording">
        {episode < 0 && 'The first episode has not begun.'}
        {episode >= 0 && `Episode ${episode} ${paused ? 'is paused' : running ? 'runs' : 'is over'}.`}
        {begins && ' Put everything back, then begin the next.'}
      </p>
      <div class="row">
        {LABELS.map(([action, text]) => (
          <button type="button" key={action} disabled={episode < 0} onClick={act(action)}>
            {text}
          </button>
        ))}
        <button type="button" class={begins ? 'accent' : ''} onClick={act('go_on')}>
          {begins ? 'Next episode' : paused ? 'Go on' : 'Pause'}
        </button>
      </div>
    </section>
  );
}
