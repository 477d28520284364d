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
});
