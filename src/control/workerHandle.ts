import { Worker } from 'node:worker_threads';
import { Subject, Subscription } from 'rxjs';
import { UserError } from '../base/errors.js';

/** What a worker says before it ends because of an error that it could still report. */
export interface WorkerFailure {
  readonly kind: 'failed';
  readonly message: string;
  /** The user's mistake, rather than ours. */
  readonly user: boolean;
}

/** Longest that a worker may take for an answer that it always has. */
const ANSWER_S = 30;

/** A worker whose messages can be waited for. */
export class WorkerHandle<Report extends { readonly kind: string }> {
  readonly worker: Worker;
  /** Resolves when the thread is gone, for whatever reason. */
  readonly ended: Promise<void>;
  private readonly messages = new Subject<Report>();

  /**
   * @param file beside this one
   * @param failures told of every error that ended the worker
   */
  constructor(file: string, workerData: unknown, failures: Subject<Error>) {
    this.worker = new Worker(new URL(file, import.meta.url), { workerData });
    this.ended = new Promise((resolve) => this.worker.once('exit', () => resolve()));
    const fail = (error: Error) => {
      this.messages.error(error);
      failures.next(error);
    };
    this.worker.on('error', fail);
    this.worker.on('message', (message: Report | WorkerFailure) => {
      if (!isFailure(message)) return this.messages.next(message);
      fail(message.user ? new UserError(message.message) : new Error(message.message));
    });
    // An error with nobody waiting for a message must not count as unhandled: `failures` has it.
    this.messages.subscribe({ error: () => {} });
  }

  /** The next message that is wanted. Rejects with the worker's error, or when it takes too long. */
  next(wanted: (message: Report) => boolean): Promise<Report> {
    return new Promise((resolve, reject) => {
      const subscription = new Subscription();
      const timer = setTimeout(
        () => settle(() => reject(new Error('a worker did not answer'))),
        1e3 * ANSWER_S,
      );
      const settle = (how: () => void) => {
        clearTimeout(timer);
        subscription.unsubscribe();
        how();
      };
      subscription.add(
        this.messages.subscribe({
          next: (message) => wanted(message) && settle(() => resolve(message)),
          error: (error) => settle(() => reject(error)),
        }),
      );
    });
  }
}

function isFailure(message: { readonly kind: string }): message is WorkerFailure {
  return message.kind === 'failed';
}
