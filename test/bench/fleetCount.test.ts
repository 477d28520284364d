import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { countFleet } from '../../bench/fleet/count.js';
import { Ledger, transitionOf } from '../../bench/fleet/transitions.js';
import { Replay } from '../../src/learn/replay/replay.js';

const sizes = { observation: 3, action: 1 };
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Robot 0 made `made` transitions in its first life; the replay holds those of the list, with cuts before some. */
function count(made: number, stored: readonly number[], cuts: readonly number[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-count-'));
  folders.push(folder);
  const ledger = new Ledger(join(folder, 'made.bin'));
  for (let n = 0; n < made; n++) ledger.note(1, n);
  ledger.close();
  const path = join(folder, 'replay.bin');
  const replay = new Replay({ ...sizes, capacity: 100, discount: 0.99, path });
  for (const n of stored) {
    if (cuts.includes(n)) replay.cut(7);
    replay.add({ stream: 7, ...transitionOf({ robot: 0, life: 1, n }, sizes) });
  }
  replay.close();
  return countFleet({ replay: path, sizes, capacity: 100 }, [join(folder, 'made.bin')]);
}

const right = { in_replay: 4, lost: 0, duplicates: 0, out_of_order: 0 };

it('what robots made and the replay has is counted', () => {
  expect(count(4, [0, 1, 2, 3])).toEqual({ made: 4, ...right });
  expect(count(4, [0, 1, 3], [3])).toEqual({ made: 4, ...right, in_replay: 3, lost: 1 });
  expect(count(4, [0, 1, 1, 2, 3], [1, 2])).toMatchObject({ duplicates: 1, lost: 0 });
  expect(count(4, [0, 2, 1, 3], [2, 1, 3])).toEqual({ made: 4, ...right, out_of_order: 1 });
});

it('an episode that joins what does not follow is out of order', () => {
  expect(count(4, [0, 1, 3])).toMatchObject({ lost: 1, out_of_order: 1 });
});

it('a kill between spool and ledger is no gain and no loss', () => {
  expect(count(3, [0, 1, 2, 3])).toEqual({ made: 4, ...right });
  expect(count(3, [0, 1, 2, 5], [5])).toMatchObject({ made: 3, in_replay: 3 });
});
