import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** A turn counts where the slowest core, before and after it, is at least this fast compared with its best. */
const LEAST_SPEED = 0.75;
const TRIES = 12;
const REST_MS = 50;

/**
 * Keeps turns apart in which the machine was not all there. Virtual cores are slowed down for seconds by whoever else
 * is on their host, often one of several: what works on all of them together then measures the slowest core, and what
 * works on one does not. So every core runs the same short loop before and after a turn, and a turn between slow ones
 * is taken again.
 */
export class Gate {
  private best_ms = Number.POSITIVE_INFINITY;
  /** Turns taken, those that were taken again, and those that were kept for want of a better one. */
  readonly turns = { taken: 0, again: 0, disturbed: 0 };

  /** @param slowest_ms runs the loop on every core at once, and says how long the slowest took */
  constructor(private readonly slowest_ms: () => Promise<number>) {}

  /** Takes a turn, again where the machine was slow around it. */
  async pass<T>(turn: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const before = await this.allFast();
      const result = await turn();
      this.turns.taken++;
      if (before && (await this.allFast())) return result;
      if (attempt === TRIES) {
        this.turns.disturbed++;
        return result;
      }
      this.turns.again++;
      await sleep(REST_MS);
    }
  }

  /** Whether every core is fast now. */
  private async allFast(): Promise<boolean> {
    const time_ms = await this.slowest_ms();
    this.best_ms = Math.min(this.best_ms, time_ms);
    return time_ms <= this.best_ms / LEAST_SPEED;
  }
}

/** A thread for each core, with the loop that the gate looks at. */
export class CoreProbes {
  private readonly workers = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(new URL('./probe.js', import.meta.url));
    worker.unref();
    return worker;
  });

  /** Runs the loop on all of them at once. @returns how long the slowest took */
  readonly slowest_ms = async (): Promise<number> => {
    const answers = this.workers.map((worker) => once(worker, 'message'));
    for (const worker of this.workers) worker.postMessage(undefined);
    return Math.max(...(await Promise.all(answers)).map(([time_ms]) => time_ms as number));
  };

  async close(): Promise<void> {
    await Promise.all(this.workers.map((w) => w.terminate()));
  }
}
