import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { ReplayBatch, type Transition } from '../../../src/learn/replay/transition.js';

const contract = { observation: 2, action: 1 };

/** Numbered so that a sampled row says which transition it is: observation (id, stream), next (id, stream) + ½. */
function transition(id: number, stream: number, end: Partial<Transition> = {}): Transition {
  return {
    stream,
    observation: [id, stream],
    action: [id / 4096],
    reward: Math.fround(Math.sin(id)),
    nextObservation: [id + 0.5, stream + 0.5],
    terminal: false,
    truncated: false,
    ...end,
  };
}

type End = 'none' | 'terminal' | 'truncated' | 'interrupted' | 'cut';

/** The n-step return by its definition, over the list of everything that happened. */
function naive(log: { stream: number; end: End }[], alive: number, id: number, n: number, gamma: number) {
  const { stream } = log[id];
  let reward = 0;
  let factor = 1;
  let last = id;
  for (let i = id, k = 0; i < log.length && k < n; i++) {
    if (log[i].stream !== stream) continue;
    reward += factor * Math.fround(Math.sin(i));
    factor *= gamma;
    last = i;
    k++;
    if (log[i].end !== 'none') break;
  }
  expect(id).toBeGreaterThanOrEqual(log.length - alive);
  return { reward, discount: log[last].end === 'terminal' ? 0 : factor, next: last + 0.5 };
}

describe('n-step returns', () => {
  it('equal the naive sum for any interleaving of streams, episode ends, capacity and n', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            stream: fc.integer({ min: 0, max: 3 }),
            end: fc.constantFrom<End>('none', 'none', 'none', 'terminal', 'truncated', 'interrupted', 'cut'),
          }),
          { minLength: 1, maxLength: 60 },
        ),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer(),
        (log, capacity, nSteps, seed) => {
          const replay = new Replay({ ...contract, capacity, discount: 0.9, nSteps });
          log.forEach(({ stream, end }, id) => {
            replay.add(transition(id, stream, end === 'none' || end === 'cut' ? {} : { [end]: true }));
            if (end === 'cut') replay.cut(stream);
          });
          const alive = Math.min(capacity, log.length);
          expect(replay.size).toBe(alive);
          const batch = new ReplayBatch(64, contract);
          replay.sample(64, new Random(seed), batch);
          for (let row = 0; row < 64; row++) {
            const id = batch.observation[2 * row];
            const expected = naive(log, alive, id, nSteps, 0.9);
            expect(batch.observation[2 * row + 1]).toBe(log[id].stream);
            expect(batch.action[row]).toBe(id / 4096);
            expect(batch.reward[row]).toBeCloseTo(expected.reward, 5);
            expect(batch.discount[row]).toBeCloseTo(expected.discount, 6);
            expect(batch.nextObservation[2 * row]).toBe(expected.next);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the ring', () => {
  it('holds the newest transitions and draws all of them equally often', () => {
    const replay = new Replay({ ...contract, capacity: 10, discount: 0.99 });
    for (let id = 0; id < 37; id++) replay.add(transition(id, 0));
    expect([replay.size, replay.added]).toEqual([10, 37]);
    const counts = new Map<number, number>();
    const batch = new ReplayBatch(10_000, contract);
    replay.sample(10_000, new Random(5), batch);
    for (let row = 0; row < 10_000; row++) {
      const id = batch.observation[2 * row];
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([27, 28, 29, 30, 31, 32, 33, 34, 35, 36]);
    // 1000 expected of each, standard deviation 30.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('samples the same rows from the same seed, and fills only the rows asked for', () => {
    const replay = new Replay({ ...contract, capacity: 50, discount: 0.99, nSteps: 3 });
    for (let id = 0; id < 50; id++) replay.add(transition(id, id % 3));
    const whole = new ReplayBatch(8, contract);
    replay.sample(8, new Random(9), whole);
    const halves = new ReplayBatch(8, contract);
    const random = new Random(9);
    replay.sample(4, random, halves);
    expect([...halves.reward.subarray(4)]).toEqual([0, 0, 0, 0]);
    replay.sample(4, random, halves, 4);
    expect(halves).toEqual(whole);
  });

  it('cannot sample from nothing', () => {
    const replay = new Replay({ ...contract, capacity: 4, discount: 0.99 });
    expect(() => replay.sample(1, new Random(0), new ReplayBatch(1, contract))).toThrow(
      'the replay is empty',
    );
  });

  it('forgets what came after a checkpoint, and starts new episodes there', () => {
    const replay = new Replay({ ...contract, capacity: 100, discount: 0.5, nSteps: 5 });
    for (let id = 0; id < 30; id++) replay.add(transition(id, 0));
    replay.rewind(20);
    expect([replay.size, replay.added]).toEqual([20, 20]);
    for (let id = 20; id < 22; id++) replay.add(transition(id, 0));
    const batch = new ReplayBatch(500, contract);
    replay.sample(500, new Random(2), batch);
    for (let row = 0; row < 500; row++) {
      const id = batch.observation[2 * row];
      expect(batch.nextObservation[2 * row]).toBe(id < 20 ? Math.min(id + 4, 19) + 0.5 : 21.5);
    }
  });
});

describe('bad transitions', () => {
  const cases: [string, Partial<Transition>, string][] = [
    ['NaN reward', { reward: Number.NaN }, 'stream 3: reward is NaN, expected a finite float32'],
    ['infinite reward', { reward: Number.POSITIVE_INFINITY }, 'stream 3: reward is Infinity'],
    ['reward beyond float32', { reward: 1e39 }, 'stream 3: reward is 1e+39'],
    ['NaN observation', { observation: [0, Number.NaN] }, 'stream 3: observation[1] is NaN'],
    ['NaN action', { action: [Number.NaN] }, 'stream 3: action[0] is NaN'],
    ['infinite next observation', { nextObservation: [-Infinity, 0] }, 'nextObservation[0] is -Infinity'],
    ['short observation', { observation: [1] }, 'stream 3: observation has 1 values, expected 2'],
  ];
  it.each(cases)('%s is refused and nothing is stored', (_, wrong, message) => {
    const replay = new Replay({ ...contract, capacity: 4, discount: 0.99 });
    expect(() => replay.add({ ...transition(0, 3), ...wrong })).toThrow(message);
    expect([replay.size, replay.added]).toEqual([0, 0]);
  });
});
