import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { RecordRing } from '../../src/control/ring.js';

describe('RecordRing', () => {
  it('gives records back in order, across its end', () => {
    const ring = new RecordRing(RecordRing.allocate(2, 4), 2);
    const into = new Float64Array(2);
    for (let n = 0; n < 11; n++) {
      expect(ring.push(Float64Array.of(n, -n))).toBe(true);
      expect(ring.pop(into)).toBe(true);
      expect([...into]).toEqual([n, -n]);
    }
    expect(ring.pop(into)).toBe(false);
  });

  it('refuses and counts what does not fit, and keeps what was there', () => {
    const ring = new RecordRing(RecordRing.allocate(1, 3), 1);
    const pushed = [0, 1, 2, 3, 4].map((n) => ring.push(Float64Array.of(n)));
    expect(pushed).toEqual([true, true, true, false, false]);
    expect(ring.refused).toBe(2);
    const into = new Float64Array(1);
    const got = [];
    while (ring.pop(into)) got.push(into[0]);
    expect(got).toEqual([0, 1, 2]);
  });

  it('still works where its counters wrap around', () => {
    const memory = RecordRing.allocate(1, 4);
    const counters = new Int32Array(memory, 0, 2);
    counters.fill(0x7ffffffe);
    const ring = new RecordRing(memory, 1);
    const into = new Float64Array(1);
    for (let n = 0; n < 6; n++) {
      expect(ring.push(Float64Array.of(n))).toBe(true);
      expect(ring.push(Float64Array.of(n + 0.5))).toBe(true);
      expect([ring.pop(into), into[0]]).toEqual([true, n]);
      expect([ring.pop(into), into[0]]).toEqual([true, n + 0.5]);
    }
  });

  it('carries whole records between two threads', async () => {
    const records = 20_000;
    const memory = RecordRing.allocate(8, 16);
    const module = new URL('../../src/control/ring.js', import.meta.url).href;
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
       import(workerData.module).then(({ RecordRing }) => {
         const ring = new RecordRing(workerData.memory, 8);
         for (let n = 0; n < ${records}; n++) while (!ring.push(new Float64Array(8).fill(n)));
       });`,
      { eval: true, workerData: { memory, module } },
    );
    const ring = new RecordRing(memory, 8);
    const into = new Float64Array(8);
    for (let n = 0; n < records; ) {
      if (!ring.pop(into)) {
        await new Promise(setImmediate);
        continue;
      }
      if (!into.every((x) => x === n)) throw new Error(`record ${n} is torn or out of order: ${into}`);
      n++;
    }
    await worker.terminate();
  });
});
