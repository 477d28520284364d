import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { latentOf } from '../../../src/learn/dreamer/latent.js';
import { LatentStore } from '../../../src/learn/dreamer/latentStore.js';
import { dreamerConfig } from '../../../src/learn/dreamer/presets.js';

const ROWS = 3;
const DETER = 8;

function states(preset: string) {
  const config = dreamerConfig(preset, { deter: DETER, stoch: 5, classes: 4 });
  const latent = latentOf(config);
  const random = new Random(1);
  const h = Float32Array.from({ length: ROWS * DETER }, () => random.uniform(-1, 1));
  const z = new Float32Array(ROWS * latent.size);
  if (latent.classes === 1) random.fillNormal(z);
  else
    for (let v = 0; v < ROWS * latent.variables; v++)
      z[v * latent.classes + random.integer(latent.classes)] = 1;
  return { store: new LatentStore(DETER, latent), h, z };
}

test.each(['micro', 'micro-v1'])('%s: a state comes back as it was kept', (preset) => {
  const { store, h, z } = states(preset);
  store.keep(5000, 42, h, z, 1);
  const [h2, z2] = [new Float32Array(h.length).fill(9), new Float32Array(z.length).fill(9)];
  expect(store.recall(5000, 42, h2, z2, 2)).toBe(true);
  const row = (x: Float32Array, i: number) => x.subarray((i * x.length) / ROWS, ((i + 1) * x.length) / ROWS);
  expect(row(z2, 2)).toEqual(row(z, 1));
  row(h2, 2).forEach((value, i) => {
    expect(Math.abs(value - row(h, 1)[i])).toBeLessThan(1 / 32767);
  });
});

test('a slot that was given to another transition, or to none yet, has no state', () => {
  const { store, h, z } = states('micro');
  store.keep(7, 8, h, z, 0);
  for (const [slot, sequence] of [
    [7, 9],
    [6, 7],
    [9000, 1],
    [-1, 0],
  ]) {
    const [h2, z2] = [h.slice(), z.slice()];
    expect(store.recall(slot, sequence, h2, z2, 0)).toBe(false);
    expect(h2.subarray(0, DETER).every((x) => x === 0)).toBe(true);
  }
});
