import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { SampleChannel } from '../../src/robot/channel.js';

/** Longer than a copy is atomic. */
const LENGTH = 64;
const SAMPLES = 50_000;

describe('SampleChannel', () => {
  it('has nothing new before the first write, and each sample once', () => {
    const memory = SampleChannel.allocate(2);
    const [writer, reader] = [new SampleChannel(memory), new SampleChannel(memory)];
    const into = new Float64Array(2);
    expect(reader.read(into)).toBe(false);
    writer.write(Float64Array.of(1, 2));
    writer.write(Float64Array.of(3, 4));
    expect(reader.read(into)).toBe(true);
    expect(Array.from(into)).toEqual([3, 4]);
    expect(reader.read(into)).toBe(false);
  });

  it('never gives a sample that is half old and half new, while another thread writes', async () => {
    const memory = SampleChannel.allocate(LENGTH);
    const reader = new SampleChannel(memory);
    const script = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ SampleChannel }) => {
        const channel = new SampleChannel(workerData.memory);
        const sample = new Float64Array(${LENGTH});
        for (let n = 1; n <= ${SAMPLES}; n++) channel.write(sample.fill(n));
      });`;
    const module = new URL('../../src/robot/channel.js', import.meta.url).href;
    const worker = new Worker(script, { eval: true, workerData: { module, memory } });
    const exited = once(worker, 'exit');
    const into = new Float64Array(LENGTH);
    let newest = 0;
    while (newest < SAMPLES) {
      if (reader.read(into)) {
        expect(into.every((x) => x === into[0])).toBe(true);
        expect(into[0]).toBeGreaterThan(newest);
        newest = into[0];
      } else {
        // The worker starts by way of this thread's event loop.
        await new Promise(setImmediate);
      }
    }
    await exited;
    expect(newest).toBe(SAMPLES);
  });
});
