import type { Random } from '../../base/random.js';
import type { Mirror, Task } from '../../tasks/task.js';
import type { ReplayBatch } from './transition.js';

/** Observation and action as seen in a mirror. */
export interface Symmetry {
  readonly observation: Mirror;
  readonly action: Mirror;
}

/** Of a robot whose camera, where it has one, sees in a mirror what its mirror image would. */
export const symmetryOf = ({ mirror }: Task): Symmetry | undefined =>
  mirror?.observation && { observation: mirror.observation, action: mirror.action };

/**
 * Mirrors each row of a batch with probability one half. Where robot and task are symmetric, the
 * mirrored transition is as true as the recorded one, so that each is worth two.
 */
export function mirrorSome(batch: ReplayBatch, { observation, action }: Symmetry, random: Random): void {
  for (let row = 0; row < batch.rows; row++) {
    if (random.uint32() & 1) continue;
    reflect(batch.observation, row, observation);
    reflect(batch.action, row, action);
    reflect(batch.nextObservation, row, observation);
  }
}

/** The row that is being turned. Kept, since learners turn hundreds for each update. */
const seen: number[] = [];

/** Mirrors row `row` of values [rows, mirror.from.length]. */
export function reflect(values: Float32Array, row: number, { from, sign }: Mirror): void {
  const n = from.length;
  for (let i = 0; i < n; i++) seen[i] = values[row * n + i];
  for (let i = 0; i < n; i++) values[row * n + i] = sign[i] * seen[from[i]];
}
