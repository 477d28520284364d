import type { Random } from '../../src/base/random.js';

/** A task of the control suite: 1000 frames of at most 1 each, no end but time. */
export interface ClassicTask {
  readonly name: string;
  /** What is seen now. */
  readonly observation: Float32Array;
  readonly actions: number;
  /** Starts an episode. */
  begin(random: Random): void;
  /** One frame under an action of [−1, 1] each. @returns its reward, 0 to 1 */
  frame(action: ArrayLike<number>): number;
  close(): void;
}

export const EPISODE_FRAMES = 1000;
