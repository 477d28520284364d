import { useState } from 'preact/hooks';
import { ask, policies, status } from './connection.js';

/** Which policy runs, and which could. */
export function PolicyPanel() {
  const [chosen, setChosen] = useState('');
  const [result, setResult] = useState<string>();
  const choice = policies.value.find((p) => p.name === chosen);
  const hand = async () => {
    setResult(undefined);
    if (await ask({ kind: 'policy', name: chosen })) setResult('Admitted: in command from the next step on.');
  };
  return (
    <section class="card">
      <h2>
        Policy <small data-testid="policy">{status.value?.policy ?? 'none'}</small>
      </h2>
      <div class="row">
        <select
          aria-label="Policy"
          value={chosen}
          onFocus={() => ask({ kind: 'policies' })}
          onChange={(event) => {
            setChosen(event.currentTarget.value);
            setResult(undefined);
          }}
        >
          <option value="">Choose…</option>
          {policies.value.map(({ name, refusals }) => (
            <option key={name} value={name}>
              {refusals.length > 0 ? `${name} (does not fit)` : name}
            </option>
          ))}
        </select>
        <button type="button" disabled={!choice} onClick={hand}>
          Hand over
        </button>
      </div>
      {choice?.evaluation && <p class="quiet">In evaluation: {choice.evaluation}</p>}
      {choice && choice.refusals.length > 0 && (
        <ul class="refusals" data-testid="refusals">
          {choice.refusals.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {result && (
        <p class="good" role="status">
          {result}
        </p>
      )}
    </section>
  );
}
