import { expect, test } from 'vitest';
import { symexp, symlog, TwoHot } from '../../../src/learn/dreamer/twoHot.js';
import { Graph, log } from '../../../src/tensor/index.js';
import { referenceValues } from '../../../src/tensor/referenceValues.js';

function evaluate(
  values: readonly number[],
  f: (x: ReturnType<Graph['input']>) => ReturnType<Graph['input']>,
) {
  const g = new Graph();
  const x = g.input('x', [values.length, 1]);
  return [...referenceValues([f(x)], () => Float64Array.from(values))[0]];
}

const samples = [0, 0.003, -0.003, 0.7, -1, 12.5, -340, 1e4, 4e8, -4e8];

test.each([3, 63, 255])('%i bins keep a value as their mean', (bins) => {
  const twoHot = new TwoHot(bins);
  // Logits whose softmax is the encoding: its logarithm, far below for weights of zero.
  const back = evaluate(samples, (x) => twoHot.mean(log(twoHot.encode(x))));
  for (const [i, x] of samples.entries()) expect(back[i]).toBeCloseTo(x, Math.abs(x) > 1e3 ? -4 : 4);
});

test('every encoding is a distribution over at most two neighbours', () => {
  const twoHot = new TwoHot(31);
  const encoded = evaluate([...samples, 1e9, -1e9], (x) => twoHot.encode(x));
  for (let i = 0; i < encoded.length; i += 31) {
    const row = encoded.slice(i, i + 31);
    expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    expect(row.filter((w) => w > 0).length).toBeLessThanOrEqual(2);
  }
});

test('equal probabilities mean exactly zero', () => {
  const g = new Graph();
  const logits = g.input('x', [1, 255]);
  const [[mean]] = referenceValues([new TwoHot(255).mean(logits)], () => new Float64Array(255).fill(0.3));
  expect(mean).toBe(0);
});

test('symexp undoes symlog', () => {
  const back = evaluate(samples, (x) => symexp(symlog(x)));
  for (const [i, x] of samples.entries()) expect(back[i] / (x || 1)).toBeCloseTo(x === 0 ? 0 : 1, 9);
});
