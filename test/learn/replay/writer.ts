import { writeSync } from 'node:fs';
import { Replay } from '../../../src/learn/replay/replay.js';

/**
 * Child process of the crash test: `node writer.js FILE CAPACITY` stores numbered transitions without
 * end and reports on standard output, one line each, the count up to which they were written out.
 */
const replay = new Replay({
  path: process.argv[2],
  capacity: Number(process.argv[3]),
  observation: 5,
  action: 2,
  discount: 0.99,
  flushEvery: 7,
});
const started = replay.added;
for (;;) {
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
  if ((replay.added - started) % 7 === 0) writeSync(1, `${replay.added}\n`);
}
