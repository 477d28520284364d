import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningCurve, meanOf } from '../../../src/learn/trainer/curve.js';
import { ticks } from '../../../src/learn/trainer/svg.js';

const panels = [
  { key: 'return', label: 'Return' },
  { key: 'speed', label: 'Speed', unit: 'm/s', goal: [0.5, 1] as const },
];

describe('ticks', () => {
  it('are round, evenly spaced and enclose the range, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e7, max: 1e7, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e7, noNaN: true }),
        fc.integer({ min: 2, max: 8 }),
        (low, span, count) => {
          const high = low + span;
          const rounding = 1e-9 * (Math.abs(low) + span);
          const all = ticks(low, high, count);
          expect(all[0]).toBeLessThanOrEqual(low + rounding);
          expect(all[all.length - 1]).toBeGreaterThanOrEqual(high - rounding);
          expect(all.length).toBeLessThanOrEqual(count + 3);
          const step = (all[all.length - 1] - all[0]) / (all.length - 1);
          const mantissa = step / 10 ** Math.floor(Math.log10(step) + 1e-6);
          expect([1, 2, 5].some((m) => Math.abs(mantissa - m) < 1e-3)).toBe(true);
        },
      ),
    );
    expect(ticks(0, 0.5, 5)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(ticks(0, 30_000, 6)).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000, 30_000]);
    expect(ticks(3, 3, 5).length).toBeGreaterThan(1);
  });
});

describe('the mean of several seeds', () => {
  it('is taken where all of them have values, between their points too', () => {
    const mean = meanOf([
      [
        [0, 0],
        [10, 10],
      ],
      [
        [4, 2],
        [6, 2],
        [20, 2],
      ],
    ]);
    expect(mean[0]).toEqual([4, 3]);
    expect(mean[mean.length - 1]).toEqual([10, 6]);
    for (const [x, y] of mean) expect(y).toBeCloseTo((x + 2) / 2, 9);
  });

  it('is nothing where seeds do not overlap', () => {
    expect(meanOf([[[0, 1]], [[5, 1]]])).toEqual([]);
  });
});

describe('the picture', () => {
  const run = (name: string, shift: number) => ({
    name,
    rows: Array.from({ length: 5 }, (_, i) => ({
      step: 1000 * i,
      return: i + shift,
      speed: i % 2 ? null : 0.2 * i,
    })),
  });
  const lines = (svg: string, style: string) => svg.split(`<polyline class="${style}"`).length - 1;

  it('shows one run as one line and several as faint lines with a mean', () => {
    const one = learningCurve([run('seed 1', 0)], { title: 'Walk', panels });
    expect([lines(one, 'seed'), lines(one, 'mean')]).toEqual([0, 2]);
    const three = learningCurve(
      [0, 1, 2].map((s) => run(`seed ${s}`, s)),
      { title: 'Walk', panels },
    );
    expect([lines(three, 'seed'), lines(three, 'mean')]).toEqual([6, 2]);
    expect(three).toContain('mean of 3');
  });

  it('leaves out rows without the figure, and keeps every point inside its panel', () => {
    const svg = learningCurve([run('seed 1', -2)], { title: 'Walk', panels });
    const drawn = [...svg.matchAll(/<polyline class="mean" points="([^"]*)"/g)].map((m) =>
      m[1].split(' ').map((point) => point.split(',').map(Number)),
    );
    expect(drawn.map((points) => points.length)).toEqual([5, 3]);
    const [width, height] = svg
      .match(/viewBox="0 0 (\d+) (\d+)"/)!
      .slice(1)
      .map(Number);
    for (const [x, y] of drawn.flat()) {
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(width);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(height);
    }
    // A rising return rises on the page.
    expect(drawn[0][4][1]).toBeLessThan(drawn[0][0][1]);
  });

  it('names axes with units, escapes text and refers to nothing outside itself', () => {
    const svg = learningCurve([run('seed 1', 0)], {
      title: 'Walk <fast> & far',
      xKey: 'step',
      xLabel: 'Robot time (min)',
      panels,
    });
    for (const label of ['Speed (m/s)', 'Robot time (min)', 'Walk &lt;fast&gt; &amp; far', 'goal'])
      expect(svg).toContain(label);
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/href|url\(|https?:/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('can be drawn before there is anything to draw, and from a single point', () => {
    const empty = learningCurve([], { title: 'Walk', panels });
    expect(empty).toContain('no values yet');
    const point = learningCurve([{ name: 'seed 1', rows: [{ step: 0, return: 0 }] }], {
      title: 'Walk',
      panels,
    });
    expect(point).toContain('<circle');
    for (const svg of [empty, point]) expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
