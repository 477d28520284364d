import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { GaitActions, warmUpActions } from '../../src/tasks/warmUpActions.js';

const POLICY_HZ = 20;
/** Two legs of two joints each, whose first joint turns the other way on the other side, and a joint in the middle. */
const mirror = { from: [2, 3, 0, 1, 4], sign: [-1, 1, -1, 1, 1] };

function actions(seed: number, steps: number): Float32Array[] {
  const gaits = new GaitActions(mirror, POLICY_HZ, new Random(seed));
  return Array.from({ length: steps }, () => {
    const out = new Float32Array(mirror.from.length);
    gaits.next(out);
    return out;
  });
}

describe('gaits before there is a policy', () => {
  it('stay within ±1, and leave joints without a partner alone but for the noise', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        for (const action of actions(seed, 100)) {
          expect(Math.max(...action.map(Math.abs))).toBeLessThanOrEqual(1);
          expect(Math.abs(action[4])).toBeLessThanOrEqual(0.1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are their own mirror image half a stride later', () => {
    for (let seed = 0; seed < 50; seed++) {
      const gait = actions(seed, 40);
      // The half stride is not told: of all whole steps one fits, but for rounding it to a step and the noise.
      const misfits = Array.from({ length: 9 }, (_, k) => 3 + k).map((half) => {
        let worst = 0;
        for (let t = 0; t + half < gait.length; t++)
          for (let j = 0; j < 4; j++)
            worst = Math.max(worst, Math.abs(gait[t + half][j] - mirror.sign[j] * gait[t][mirror.from[j]]));
        return worst;
      });
      expect(Math.min(...misfits)).toBeLessThan(0.65);
    }
  });

  it('change every two seconds and with each episode, and repeat with the seed', () => {
    expect(actions(1, 200)).toEqual(actions(1, 200));
    expect(actions(1, 40)).not.toEqual(actions(2, 40));
  });

  it('are refused for a robot without a left and a right', () => {
    const { spec } = loadRobot('arm');
    expect(() => warmUpActions('gaits', createTask('reach', spec), spec, new Random(1))).toThrow(
      'warmup_actions: gaits needs a robot with a left and a right; in task reach of arm there is no symmetry',
    );
  });
});
