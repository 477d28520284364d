import type { Random } from '../../base/random.js';
import type { Mirror } from '../../tasks/task.js';
import type { ReplayBatch } from './transition.js';

/**
 * Mirrors each row of a batch with probability one half. Where robot and task are symmetric, the
 * mirrored transition is as true as the recorded one, so that each is worth two.
 */
export class MirrorAugmentation {
  private readonly row: Float32Array;

  constructor(
    private readonly observation: Mirror,
    private readonly action: Mirror,
  ) {
    this.row = new Float32Array(Math.max(observation.from.length, action.from.length));
  }

  apply(batch: ReplayBatch, random: Random): void {
    for (let row = 0; row < batch.rows; row++) {
      if (random.uint32() & 1) continue;
      this.reflect(batch.observation, row, this.observation);
      this.reflect(batch.action, row, this.action);
      this.reflect(batch.nextObservation, row, this.observation);
    }
  }

  private reflect(values: Float32Array, row: number, { from, sign }: Mirror): void {
    const n = from.length;
    const start = row * n;
    for (let i = 0; i < n; i++) this.row[i] = sign[i] * values[start + from[i]];
    for (let i = 0; i < n; i++) values[start + i] = this.row[i];
  }
}
