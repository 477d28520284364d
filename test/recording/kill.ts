import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Recovery, recover } from '../../src/recording/recover.js';
import { topics } from '../../src/recording/topics.js';
import { decode } from '../../src/ros/codec.js';
import { MESSAGES_AN_EPISODE } from './constants.js';
import { readMcap } from './mcap.js';

/**
 * Kills a recording process without warning after `after_ms`, recovers its file, and looks whether what
 * came out is a whole beginning of what went in.
 * @throws Error where it is not
 */
export async function killAndRecover(path: string, after_ms: number): Promise<Recovery> {
  const child = fork(fileURLToPath(new URL('./writer.js', import.meta.url)), [path]);
  await once(child, 'message');
  await setTimeout(after_ms);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const hash = () => createHash('sha256').update(readFileSync(path)).digest('hex');
  const before = hash();
  const out = `${path}.recovered`;
  const result = await recover(path, out);
  if (hash() !== before || !existsSync(out)) throw new Error('the original was changed');
  const { messages, counted } = readMcap(out);
  if (counted !== result.messages || messages.length !== counted) throw new Error('the counts differ');
  const numbers = messages.filter((m) => m.topic === '/numbers');
  numbers.forEach((m, i) => {
    const { data } = decode('std_msgs/msg/Float64MultiArray', m.data);
    if (data.length !== 200 || !Array.from(data).every((x) => x === i))
      throw new Error(`message ${i} is harmed`);
  });
  const begun = messages.filter((m) => m.topic === topics.episodes.topic).length;
  if (begun !== result.episodes || begun !== Math.ceil(numbers.length / MESSAGES_AN_EPISODE)) {
    // The very last mark may be there before the first message of its episode.
    if (begun !== Math.floor(numbers.length / MESSAGES_AN_EPISODE) + 1)
      throw new Error('an episode is missing');
  }
  return result;
}
