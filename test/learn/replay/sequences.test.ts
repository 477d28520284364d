import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Random } from '../../../src/base/random.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { SequenceBatch, SequenceSampler } from '../../../src/learn/replay/sequences.js';

const contract = { observation: 2, action: 1 };
type End = 'none' | 'terminal' | 'truncated' | 'interrupted' | 'cut';
interface Entry {
  readonly stream: number;
  readonly end: End;
}

/** Every third transition. */
const isShown = (id: number) => id % 3 === 0;

/** Transition n of the log goes from (n, stream) to (n + ½, stream) by action n / 4096, for a reward of sin n. */
function record(log: readonly Entry[], capacity: number): Replay {
  const replay = new Replay({ ...contract, capacity, discount: 0.9 });
  for (const [id, { stream, end }] of log.entries()) {
    replay.add({
      stream,
      observation: [id, stream],
      action: [id / 4096],
      reward: Math.fround(Math.sin(id)),
      nextObservation: [id + 0.5, stream],
      terminal: end === 'terminal',
      truncated: end === 'truncated',
      interrupted: end === 'interrupted',
      demonstrated: isShown(id),
    });
    if (end === 'cut') replay.cut(stream);
  }
  return replay;
}

interface Moment {
  readonly observation: number;
  readonly action: number;
  readonly reward: number;
  readonly first: number;
  readonly terminal: number;
  readonly demonstrated: number;
}

/** What each stream saw, by the definition: an episode of n transitions has n + 1 moments. */
function momentsOf(log: readonly Entry[], alive: number): Moment[][] {
  const streams = [0, 1, 2].map((stream) =>
    [...log.keys()].filter((id) => log[id].stream === stream && id >= log.length - alive),
  );
  return streams.map((ids) =>
    ids.flatMap((id, i) => {
      const before = i > 0 && log[ids[i - 1]].end === 'none' ? ids[i - 1] : undefined;
      const led = (by: number | undefined, observation: number, terminal: boolean): Moment => ({
        observation,
        action: by === undefined ? 0 : by / 4096,
        reward: by === undefined ? 0 : Math.fround(Math.sin(by)),
        first: by === undefined ? 1 : 0,
        terminal: terminal ? 1 : 0,
        demonstrated: by !== undefined && isShown(by) ? 1 : 0,
      });
      const here = led(before, id, false);
      const last = i === ids.length - 1 || log[id].end !== 'none';
      return last ? [here, led(id, id + 0.5, log[id].end === 'terminal')] : [here];
    }),
  );
}

const logs = fc.array(
  fc.record({
    stream: fc.integer({ min: 0, max: 2 }),
    end: fc.constantFrom<End>('none', 'none', 'none', 'terminal', 'truncated', 'interrupted', 'cut'),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('sequences', () => {
  it('are what a stream saw, for any interleaving of streams, episode ends, capacity and length', () => {
    fc.assert(
      fc.property(
        logs,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        (log, capacity, length, seed) => {
          const replay = record(log, capacity);
          const streams = momentsOf(log, Math.min(capacity, log.length));
          const longest = Math.max(...streams.map((s) => s.length));
          const sampler = new SequenceSampler(replay, length);
          const batch = new SequenceBatch(length, 8, contract);
          if (longest < length) {
            expect(() => sampler.sample(batch, new Random(seed), 0)).toThrow(UserError);
            return;
          }
          expect(streams.some((s) => s.length >= length)).toBe(true);
          sampler.sample(batch, new Random(seed), 2);
          for (let row = 0; row < 8; row++) {
            const stream = streams[batch.observation[2 * row + 1]];
            const from = stream.findIndex((m) => m.observation === batch.observation[2 * row]);
            const newest = stream.length - length;
            // The first rows end with what came last, where their stream is long enough.
            if (row < 2 && streams.every((s) => s.length === 0 || s.length >= length))
              expect(from).toBe(newest);
            for (let t = 0; t < length; t++) {
              const at = t * 8 + row;
              expect({
                observation: batch.observation[2 * at],
                action: batch.action[at],
                reward: batch.reward[at],
                first: batch.first[at],
                terminal: batch.terminal[at],
                demonstrated: batch.demonstrated[at],
              }).toEqual(stream[from + t]);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of a walk pass every episode, each sequence after what leads into it', () => {
    fc.assert(
      fc.property(
        ...[
          logs,
          fc.integer({ min: 5, max: 70 }),
          fc.integer({ min: 2, max: 6 }),
          fc.integer({ min: 1, max: 4 }),
        ],
        (log, capacity, length, batch) => {
          const replay = record(log, capacity);
          const into = new SequenceBatch(length, batch, contract);
          const passed = new Set<number>();
          const slots = new Set<number>();
          const walk = new SequenceSampler(replay, length).walk(into);
          while (!walk.next().done) {
            for (const before of into.before) expect(before < 0 || slots.has(before)).toBe(true);
            for (const slot of into.slot) slots.add(slot);
            for (let i = 0; i < length * batch; i++) passed.add(into.observation[2 * i]);
          }
          for (const moments of momentsOf(log, Math.min(capacity, log.length)))
            for (const [i, { first }] of moments.entries()) {
              if (!first || moments.length - i < length) continue;
              const end = moments.findIndex((m, k) => k > i && m.first === 1);
              for (const { observation } of moments.slice(i, end < 0 ? undefined : end))
                expect(passed).toContain(observation);
            }
        },
      ),
    );
  });

  it('are the same after a file was opened again', () => {
    const log = Array.from(
      { length: 30 },
      (_, i): Entry => ({ stream: i % 2, end: i === 11 ? 'terminal' : 'none' }),
    );
    const draw = (replay: Replay) => {
      const batch = new SequenceBatch(6, 4, contract);
      new SequenceSampler(replay, 6).sample(batch, new Random(4), 1);
      return batch;
    };
    const replay = record(log, 20);
    const expected = draw(replay);
    // Forgetting nothing rebuilds the links as opening a file does.
    const copy = record(log, 20);
    copy.rewind(copy.added - 1);
    const { stream, end } = log[29];
    copy.add({
      ...{ stream, observation: [29, 1], action: [29 / 4096], reward: Math.fround(Math.sin(29)) },
      ...{ nextObservation: [29.5, 1], terminal: end === 'terminal', truncated: false },
    });
    expect(draw(copy).observation.length).toBe(expected.observation.length);
    expect(draw(copy).terminal).toEqual(expected.terminal);
  });

  it('that would be longer than anything recorded are refused, saying how long the longest is', () => {
    const replay = record(
      Array.from({ length: 10 }, () => ({ stream: 0, end: 'none' })),
      100,
    );
    const sampler = new SequenceSampler(replay, 16);
    expect(sampler.ready).toBe(false);
    expect(() => sampler.sample(new SequenceBatch(16, 2, contract), new Random(1), 0)).toThrow(
      'the replay holds no sequence of 16 steps: its longest has 11; collect more before the first update',
    );
    expect(new SequenceSampler(replay, 11).ready).toBe(true);
  });
});
