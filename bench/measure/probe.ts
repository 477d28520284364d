import { parentPort } from 'node:worker_threads';

const ROUNDS = 1_000_000;

/** The same work every time. @returns how long it took, ms */
function loop_ms(): number {
  const start = performance.now();
  let x = 1;
  for (let i = 0; i < ROUNDS; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  // Looked at, so that the loop is not optimised away.
  return performance.now() - start + (x === 0 ? 1e-9 : 0);
}

parentPort!.on('message', () => parentPort!.postMessage(loop_ms()));
