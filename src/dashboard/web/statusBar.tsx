import { ask, connected, emergencyStop, hello, status } from './connection.js';

/** What the kernel's modes mean to whoever looks. */
const MODES: Readonly<Record<string, string>> = {
  idle: 'No torque',
  run: 'Running',
  hold: 'Holding',
  stopping: 'Stopping',
  stopped: 'Stopped',
  damp: 'Braking',
};
const AUTHORITIES: Readonly<Record<string, string>> = {
  stop: 'Nobody',
  policy: 'Policy',
  person: 'Person',
  recovery: 'Recovery',
};

export function inWords(cause: string): string {
  const text = cause.replaceAll('_', ' ');
  return text[0].toUpperCase() + text.slice(1);
}

export function StatusBar() {
  const s = status.value;
  const latched = s?.latched;
  return (
    <header>
      <div class="identity">
        <span class={`dot ${connected.value ? 'live' : ''}`} aria-hidden="true" />
        <h1>{hello.value?.robot ?? 'Reverie'}</h1>
        <span class="task">{hello.value?.task}</span>
      </div>
      {hello.value?.training && <p class="accent">Learning in simulation: no robot moves yet</p>}
      {s && (
        <dl class="state" aria-live="polite">
          <div class={latched ? 'alarm' : s.mode === 'damp' ? 'warn' : ''}>
            <dt>State</dt>
            <dd data-testid="mode">{MODES[s.mode] ?? s.mode}</dd>
          </div>
          <div class={s.authority === 'person' ? 'accent' : ''}>
            <dt>In command</dt>
            <dd data-testid="authority">{AUTHORITIES[s.authority] ?? s.authority}</dd>
          </div>
          <div class={latched ? 'alarm' : ''}>
            <dt>Latch</dt>
            <dd data-testid="latch">{latched ? inWords(latched) : 'Clear'}</dd>
          </div>
        </dl>
      )}
      {s?.asks_person && (
        <p class="help" role="alert" data-testid="asks-person">
          {s.asks_person}
        </p>
      )}
      <div class="actions">
        {latched && (
          <button type="button" onClick={() => ask({ kind: 'reset' })}>
            Reset
          </button>
        )}
        {!latched && s && (s.mode === 'idle' || s.mode === 'stopped' || s.mode === 'damp') && (
          <button type="button" onClick={() => ask({ kind: 'arm' })}>
            Arm
          </button>
        )}
        {s && (s.mode === 'run' || s.mode === 'hold') && (
          <button type="button" onClick={() => ask({ kind: 'stop' })}>
            Stop gently
          </button>
        )}
        {/* Acts on the way down: a click is complete only once the finger is up again. */}
        {!hello.value?.training && (
          <button
            type="button"
            class="stop"
            onPointerDown={emergencyStop}
            onKeyDown={(event) => event.key === 'Enter' && !event.repeat && emergencyStop()}
            aria-keyshortcuts="Space"
            data-testid="emergency-stop"
          >
            Emergency stop <kbd>space</kbd>
          </button>
        )}
      </div>
    </header>
  );
}
