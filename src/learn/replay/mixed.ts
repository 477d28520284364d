import type { Random } from '../../base/random.js';
import type { Replay } from './replay.js';
import type { ReplayBatch } from './transition.js';

/**
 * What a learner draws its batches from: what the robot did and, where there are any, demonstrations.
 * Half of each batch then comes from each, however few the demonstrations are: symmetric sampling, as
 * in RLPD (Ball et al., "Efficient Online Reinforcement Learning with Offline Data", 2023, section 4.1).
 * Until the robot has done anything, all of it comes from the demonstrations.
 */
export class MixedReplay {
  constructor(
    readonly own: Replay,
    readonly demonstrations?: Replay,
    /** Demonstrations count from so many steps on. */
    private readonly least = 1,
  ) {}

  /** Fills `rows` rows of a batch. @throws RangeError where there is nothing to sample */
  sample(rows: number, random: Random, into: ReplayBatch): void {
    const { own, demonstrations } = this;
    into.demonstrated.fill(0);
    if (!demonstrations || demonstrations.size < this.least) {
      own.sample(rows, random, into);
      return;
    }
    const half = own.size > 0 ? rows - (rows >> 1) : 0;
    if (half > 0) own.sample(half, random, into);
    demonstrations.sample(rows - half, random, into, half);
    into.demonstrated.fill(1, half, rows);
  }

  /**
   * Marks as demonstrated, too, what the robot did itself in episodes that ended with a reward: imitation of one's own
   * successes (Oh et al., "Self-Imitation Learning", 2018, with success in place of an advantage).
   */
  markSuccesses(batch: ReplayBatch): void {
    const { own } = this;
    for (let row = 0; row < batch.rows; row++)
      if (batch.demonstrated[row] === 0 && own.lastReward(batch.slot[row]) > 0) batch.demonstrated[row] = 1;
  }
}
