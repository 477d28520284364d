import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { GaussianPolicy, LOG_STD_BOUNDS, sampleAction } from '../../src/policy/gaussian.js';
import type { Activation } from '../../src/policy/layers.js';
import { Mlp } from '../../src/policy/mlp.js';

const activations: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  elu: (x) => (x > 0 ? x : Math.exp(x) - 1),
  silu: (x) => x / (1 + Math.exp(-x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** The textbook double loop over the same flat parameters, in float64 throughout. */
function reference(
  flat: Float32Array,
  sizes: number[],
  hidden: Activation,
  norm: boolean,
  x: number[],
): number[] {
  let at = 0;
  for (let layer = 0; layer + 1 < sizes.length; layer++) {
    const [n, m] = [sizes[layer], sizes[layer + 1]];
    const last = layer + 2 === sizes.length;
    let y = Array.from({ length: m }, (_, j) => {
      let sum = flat[at + n * m + j];
      for (let i = 0; i < n; i++) sum += x[i] * flat[at + i * m + j];
      return sum;
    });
    at += n * m + m;
    if (!last && norm) {
      const mean = y.reduce((a, b) => a + b) / m;
      const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / m;
      y = y.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * flat[at + j] + flat[at + m + j]);
      at += 2 * m;
    }
    x = last ? y : y.map(activations[hidden]);
  }
  return x;
}

describe('Mlp', () => {
  it('agrees with the textbook loop for every activation, with and without layer normalisation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 19 }), { minLength: 2, maxLength: 4 }),
        fc.constantFrom(...(Object.keys(activations) as Activation[])),
        fc.boolean(),
        fc.integer(),
        (sizes, activation, layerNorm, seed) => {
          const network = Mlp.of(sizes[0], sizes.slice(1, -1), sizes[sizes.length - 1], {
            activation,
            layerNorm,
          });
          const random = new Random(seed);
          const flat = new Float32Array(network.parameters.length);
          random.fillUniform(flat, -1, 1);
          network.setParameters(flat);
          const x = new Float32Array(sizes[0]);
          random.fillUniform(x, -2, 2);
          // Zero inputs take a path of their own.
          x[0] = 0;
          const expected = reference(flat, sizes, activation, layerNorm, [...x]);
          const got = network.forward(x);
          // Normalising a vector that is nearly constant magnifies the float32 rounding before it.
          expected.forEach((e, i) => {
            expect(Math.abs(got[i] - e)).toBeLessThan(1e-3 * (1 + Math.abs(e)));
          });
        },
      ),
    );
  });

  it('returns the same buffer at every call and takes new weights in place', () => {
    const network = Mlp.of(2, [3], 1);
    const first = network.forward(new Float32Array([1, 2]));
    expect(first[0]).toBe(0);
    network.setParameters(new Float32Array([1, 0, 0, 0, 1, 0, 0, 0, 0, 2, 3, 4, 0.5]));
    const second = network.forward(new Float32Array([1, 2]));
    expect(second).toBe(first);
    expect(second[0]).toBe(1 * 2 + 2 * 3 + 0.5);
  });

  it('does not hide a NaN in the observation', () => {
    const network = Mlp.of(2, [3], 1);
    network.parameters.fill(0.1);
    expect(network.forward(new Float32Array([Number.NaN, 1]))[0]).toBeNaN();
  });

  it('refuses weights and observations of another size', () => {
    const network = Mlp.of(2, [3], 1);
    expect(() => network.setParameters(new Float32Array(5))).toThrow(
      '5 parameters given, the network has 13',
    );
    expect(() => network.forward(new Float32Array(3))).toThrow(
      'observation of 3 values, the network takes 2',
    );
  });
});

describe('tanh-Gaussian head', () => {
  const policy = new GaussianPolicy({ observations: 2, actions: 2, hidden: [4], activation: 'relu' });
  const observation = new Float32Array([0.3, -0.7]);
  const action = new Float32Array(2);
  // All weights zero: the output is the bias, [mean(2), logStd(2)].
  policy.network.parameters.set([0.5, -0.25, -1, -2], policy.network.parameters.length - 4);

  it('acts by tanh of the mean, and by the same with exploration of scale 0', () => {
    policy.act(observation, action);
    expect(action[0]).toBeCloseTo(Math.tanh(0.5), 6);
    expect(action[1]).toBeCloseTo(Math.tanh(-0.25), 6);
    const mean = [...action];
    policy.act(observation, action, { random: new Random(1), scale: 0 });
    expect([...action]).toEqual(mean);
  });

  it('draws with the stated mean and standard deviation before tanh', () => {
    const random = new Random(7);
    const n = 20_000;
    const sum = [0, 0];
    const square = [0, 0];
    for (let k = 0; k < n; k++) {
      policy.act(observation, action, { random, scale: 2 });
      for (let i = 0; i < 2; i++) {
        const u = Math.atanh(action[i]);
        sum[i] += u / n;
        square[i] += (u * u) / n;
      }
    }
    expect(sum[0]).toBeCloseTo(0.5, 1);
    expect(sum[1]).toBeCloseTo(-0.25, 1);
    expect(Math.sqrt(square[0] - sum[0] ** 2)).toBeCloseTo(2 * Math.exp(-1), 1);
    expect(Math.sqrt(square[1] - sum[1] ** 2)).toBeCloseTo(2 * Math.exp(-2), 1);
  });

  it('clamps the logarithm of the standard deviation on both sides', () => {
    for (const [given, bound] of [
      [9, LOG_STD_BOUNDS[1]],
      [-9, LOG_STD_BOUNDS[0]],
    ]) {
      const clamped = new Float32Array(1);
      const atBound = new Float32Array(1);
      sampleAction(new Float32Array([0.1, given]), clamped, new Random(3), 0.1);
      sampleAction(new Float32Array([0.1, bound]), atBound, new Random(3), 0.1);
      expect(clamped[0]).toBe(atBound[0]);
    }
  });
});
