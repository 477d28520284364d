import type { ExperienceSizes } from '../../src/fleet/experience.js';
import { ReplayFile } from '../../src/learn/replay/file.js';
import { Flag, RecordLayout, readSequence, Word } from '../../src/learn/replay/record.js';
import { follows, type Identity, identityOf, readLedger } from './transitions.js';

export interface FleetCount {
  /** Transitions that robots made. */
  readonly made: number;
  /** Of those, how many the learner's replay has. */
  readonly in_replay: number;
  readonly lost: number;
  /** In the replay more than once. */
  readonly duplicates: number;
  /** Behind a later one of its robot, or joined in an episode to one that it does not follow. */
  readonly out_of_order: number;
}

export interface ReplayOnDisk {
  readonly replay: string;
  readonly sizes: ExperienceSizes;
  readonly capacity: number;
}

/**
 * Counts what robots made by their own ledgers against the file of the learner's replay.
 * @param ledgers of the robots, by their numbers
 */
export function countFleet(where: ReplayOnDisk, ledgers: readonly string[]): FleetCount {
  const made = ledgers.map(readLedger);
  const seen = new Set<string>();
  const newest = new Map<number, Identity>();
  const before = new Map<number, Identity>();
  let duplicates = 0;
  let out_of_order = 0;
  for (const { stream, first, identity } of records(where)) {
    const { robot, life, n } = identity;
    const key = `${robot}/${life}/${n}`;
    const last = newest.get(robot);
    const predecessor = before.get(stream);
    before.set(stream, identity);
    if (seen.has(key)) {
      duplicates++;
      continue;
    }
    seen.add(key);
    const late = last && (life < last.life || (life === last.life && n < last.n));
    const misjoined = !first && !(predecessor && follows(predecessor, identity));
    if (late || misjoined) out_of_order++;
    if (!late) newest.set(robot, identity);
    // Killed between the spool's write and the ledger's: the replay is the witness.
    const lives = made[robot];
    if (n === (lives.get(life) ?? 0)) lives.set(life, n + 1);
  }
  let total = 0;
  let in_replay = 0;
  made.forEach((lives, robot) => {
    for (const [life, count] of lives) {
      total += count;
      for (let n = 0; n < count; n++) if (seen.has(`${robot}/${life}/${n}`)) in_replay++;
    }
  });
  return { made: total, in_replay, lost: total - in_replay, duplicates, out_of_order };
}

interface ReplayRecord {
  readonly stream: number;
  readonly first: boolean;
  readonly identity: Identity;
}

/** The replay's transitions, the oldest first. @throws Error where the file has lost any */
function* records({ replay, sizes, capacity }: ReplayOnDisk): Generator<ReplayRecord> {
  const layout = new RecordLayout(sizes);
  const words = new Uint32Array(capacity * layout.words);
  const floats = new Float32Array(words.buffer);
  const file = new ReplayFile(replay, layout, capacity, words);
  const { lost } = file.recover();
  file.close();
  if (lost > 0) throw new Error(`${replay}: ${lost} records are damaged`);
  for (let slot = 0; slot < capacity; slot++) {
    const start = slot * layout.words;
    if (readSequence(words, start + Word.sequence) === 0) continue;
    const at = start + layout.observation;
    yield {
      stream: words[start + Word.stream],
      first: (words[start + Word.flags] & Flag.firstOfEpisode) !== 0,
      identity: identityOf(floats.subarray(at, at + sizes.observation)),
    };
  }
}
