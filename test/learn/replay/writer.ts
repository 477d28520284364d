import { writeSync } from 'node:fs';
import { Replay } from '../../../src/learn/replay/replay.js';
import { addNumbered, contract } from './numbered.js';

/**
 * Child process of the crash test: `node writer.js FILE CAPACITY` stores numbered transitions without
 * end and reports on standard output, one line each, the count up to which they were written out.
 */
const replay = new Replay({
  path: process.argv[2],
  capacity: Number(process.argv[3]),
  ...contract,
  discount: 0.99,
  flushEvery: 7,
});
const started = replay.added;
for (;;) {
  addNumbered(replay);
  if ((replay.added - started) % 7 === 0) writeSync(1, `${replay.added}\n`);
}
