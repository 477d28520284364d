import { parentPort, workerData } from 'node:worker_threads';
import { instantiate, type ThreadData, waitForWork } from './wasmInstance.js';

// A thread of the WebAssembly kernels: does its part of each program that it is given, until it is ended.
const { module, memory, control, arena, scratch, stack, thread, threads } = workerData as ThreadData;
const exports = instantiate(module, memory);
exports.__stack_pointer.value = stack;
const words = new Int32Array(memory.buffer, control, 2);
for (let run = 0; ; ) {
  run = waitForWork(words, run);
  exports.run(words[1], arena, scratch, thread, threads);
  if (thread === 0) parentPort!.postMessage(run);
}
