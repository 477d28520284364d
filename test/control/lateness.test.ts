import { expect, it } from 'vitest';
import { LatenessHistogram } from '../../src/control/lateness.js';

it('gives quantiles to the width of a bucket, and the maximum exactly', () => {
  const histogram = new LatenessHistogram(LatenessHistogram.allocate());
  expect(histogram.summary()).toEqual({ p50_s: 0, p99_s: 0, p999_s: 0, max_s: 0 });
  for (let n = 1; n <= 10_000; n++) histogram.add(1e-6 * n);
  const { p50_s, p99_s, p999_s, max_s } = histogram.summary();
  expect(p50_s / 5e-3).toBeGreaterThanOrEqual(1);
  expect(p50_s / 5e-3).toBeLessThan(1.08);
  expect(p99_s / 9.9e-3).toBeGreaterThanOrEqual(1);
  expect(p99_s).toBeLessThanOrEqual(max_s);
  expect(p999_s).toBeLessThanOrEqual(max_s);
  expect(max_s).toBeCloseTo(1e-2, 12);
});

it('takes ticks that come early and ones that come seconds late', () => {
  const histogram = new LatenessHistogram(LatenessHistogram.allocate());
  histogram.add(-1e-4);
  histogram.add(100);
  expect(histogram.summary().max_s).toBe(100);
  expect(histogram.summary().p50_s).toBeLessThan(2e-6);
});
