import { RecordingFile } from '../../src/recording/file.js';
import { METADATA, topics } from '../../src/recording/topics.js';
import { encode } from '../../src/ros/codec.js';
import { MESSAGES_AN_EPISODE } from './constants.js';

/**
 * A process that records until it is killed: numbered messages in episodes of fifty. To its parent it
 * says when it has begun.
 *
 *     node writer.js FILE
 */
const file = await RecordingFile.create(process.argv[2], { [METADATA]: { robot: 'nobody' } });
process.send?.('begun');
for (let n = 0; ; n++) {
  const time = BigInt(n) * 1_000_000n;
  const stamp = { sec: 0, nanosec: n };
  if (n % MESSAGES_AN_EPISODE === 0) {
    const message = {
      stamp,
      episode: n / MESSAGES_AN_EPISODE,
      kind: 'begin',
      task: '',
      outcome: '',
      operator_name: '',
    };
    const mark = { ...message, notes: '', intervention_begin: [], intervention_end: [] };
    await file.write(
      topics.episodes.topic,
      topics.episodes.type,
      encode(topics.episodes.type, mark),
      time,
      time,
    );
  }
  const data = new Float64Array(200).fill(n);
  const bytes = encode('std_msgs/msg/Float64MultiArray', { layout: { dim: [], data_offset: 0 }, data });
  await file.write('/numbers', 'std_msgs/msg/Float64MultiArray', bytes, time, time);
  // Now and then other things have their turn, as they do in a recorder.
  if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
}
