import { Worker } from 'node:worker_threads';
import { startWork, type ThreadData } from './wasmInstance.js';

/** Threads that run programs of the WebAssembly kernels together, beside the event loop. They keep no process alive. */
export class WasmThreads {
  private readonly workers: readonly Worker[];
  private readonly control: Int32Array;
  private running: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(threads: readonly ThreadData[]) {
    const [{ memory, control }] = threads;
    this.control = new Int32Array(memory.buffer, control, 2);
    this.workers = threads.map((workerData) => {
      const worker = new Worker(new URL('./wasmThread.js', import.meta.url), { workerData });
      worker.unref();
      worker.on('error', (error) => this.running?.reject(error));
      return worker;
    });
    this.workers[0].on('message', () => this.running?.resolve());
  }

  /** @param words address of a program. @returns when it is done: wait for one before starting the next */
  async run(words: number): Promise<void> {
    const [first] = this.workers;
    const done = new Promise<void>((resolve, reject) => {
      this.running = { resolve, reject };
    });
    // Whoever awaits a run wants it finished.
    first.ref();
    startWork(this.control, words);
    await done.finally(() => first.unref());
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
