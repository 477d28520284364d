import { expect, test } from 'vitest';
import { profileSteps } from '../../bench/step/profile.js';
import { UserError } from '../../src/base/errors.js';

test('a profile has every product of a step, dearest first', () => {
  const profiles = profileSteps(['wasm'], ['sac-256-b256']);
  expect(profiles.map((p) => [p.name, p.engine, p.step])).toEqual([
    ['sac-256-b256', 'wasm', 'critic'],
    ['sac-256-b256', 'wasm', 'both'],
  ]);
  const [critic] = profiles;
  const costs = critic.instructions.map((i) => i.total_us);
  expect(Math.min(...costs)).toBeGreaterThan(0);
  expect(costs).toEqual(costs.toSorted((a, b) => b - a));
  // Hidden layers of two critics, their targets and the actor forwards, two critics backwards.
  expect(critic.instructions.find((i) => i.what === 'product 256×256, 256 deep, chained')?.times).toBe(7);
});

test('engines without programs of kernels have no profile', () => {
  expect(() => profileSteps(['onnx'])).toThrow(UserError);
  expect(() => profileSteps(['wasm'], ['inference'])).toThrow('nothing to profile');
});
