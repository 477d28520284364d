import type { Replay } from '../../../src/learn/replay/replay.js';

/** The contract of the replay files of these tests. */
export const contract = { observation: 5, action: 2 };

/** Adds the next of the numbered transitions, in which every value follows from the number. */
export function addNumbered(replay: Replay): void {
  const id = replay.added;
  replay.add({
    stream: id % 3,
    observation: [id, id + 1, id + 2, id + 3, id + 4],
    action: [id, -id],
    reward: id,
    nextObservation: [id, id, id, id, id],
    terminal: false,
    truncated: id % 50 === 49,
  });
}
