import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { MixedReplay } from '../../../src/learn/replay/mixed.js';
import { Replay } from '../../../src/learn/replay/replay.js';
import { ReplayBatch } from '../../../src/learn/replay/transition.js';

const contract = { observation: 1, action: 1 };

/** A replay whose rewards say where a row comes from. */
function filled(reward: number, count: number): Replay {
  const replay = new Replay({ ...contract, capacity: 1000, discount: 0.9 });
  for (let i = 0; i < count; i++)
    replay.add({
      stream: 0,
      observation: [i],
      action: [0],
      reward,
      nextObservation: [i + 1],
      terminal: false,
      truncated: false,
    });
  return replay;
}

function share(mixed: MixedReplay, rows: number): number {
  const batch = new ReplayBatch(rows, contract);
  mixed.sample(rows, new Random(1), batch);
  // The batch says of each row where it comes from.
  expect(Array.from(batch.demonstrated)).toEqual(Array.from(batch.reward, (r) => Number(r === 7)));
  return batch.reward.filter((r) => r === 7).length / rows;
}

describe('batches from experience and demonstrations', () => {
  it('take half from each, however few were shown', () => {
    expect(share(new MixedReplay(filled(1, 900), filled(7, 3)), 64)).toBe(0.5);
  });

  it('are all shown until the robot has done anything, and all its own where nothing was shown', () => {
    expect(share(new MixedReplay(filled(1, 0), filled(7, 3)), 64)).toBe(1);
    expect(share(new MixedReplay(filled(1, 5)), 64)).toBe(0);
    expect(share(new MixedReplay(filled(1, 5), filled(7, 0)), 64)).toBe(0);
  });

  it('count own episodes that ended with a reward as shown, all their steps', () => {
    const own = new Replay({ ...contract, capacity: 100, discount: 0.9 });
    // Episodes of ten steps; every third one succeeds in its last two.
    for (let i = 0; i < 90; i++) {
      const step = i % 10;
      const succeeds = Math.floor(i / 10) % 3 === 0;
      own.add({
        ...{ stream: 0, observation: [i], action: [0], nextObservation: [i + 1], terminal: false },
        ...{ reward: succeeds && step > 7 ? 1 : 0, truncated: step === 9 },
      });
    }
    const mixed = new MixedReplay(own, filled(7, 3));
    const batch = new ReplayBatch(200, contract);
    mixed.sample(200, new Random(1), batch);
    mixed.markSuccesses(batch);
    const expected = Array.from(batch.observation, (i, row) =>
      Number(row >= 100 || Math.floor(i / 10) % 3 === 0),
    );
    expect(Array.from(batch.demonstrated)).toEqual(expected);
    expect(new Set(expected.slice(0, 100)).size).toBe(2);
  });
});
