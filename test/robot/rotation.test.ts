import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  gravityInBody,
  multiply,
  rotate,
  rotateInverse,
  uprightness,
  wrapAngle_rad,
  yaw_rad,
} from '../../src/robot/rotation.js';

const runs = { seed: 3, numRuns: 300 };
const part = fc.double({ min: -1, max: 1, noNaN: true });
const vector = fc.tuple(part, part, part);
const quaternion = fc
  .tuple(part, part, part, part)
  .filter((q) => Math.hypot(...q) > 0.1)
  .map((q) => q.map((x) => x / Math.hypot(...q)));

const of = (f: (out: Float64Array) => void, n = 3): Float64Array => {
  const out = new Float64Array(n);
  f(out);
  return out;
};
const close = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], 12);
};

describe('rotations', () => {
  it('turn x into y by a quarter turn about z', () => {
    const quarter = [Math.SQRT1_2, 0, 0, Math.SQRT1_2];
    close(
      of((o) => rotate(quarter, [1, 0, 0], o)),
      [0, 1, 0],
    );
    expect(yaw_rad(quarter)).toBeCloseTo(Math.PI / 2, 12);
    expect(uprightness(quarter)).toBeCloseTo(1, 12);
  });

  it('keep lengths, and the inverse undoes them', () => {
    fc.assert(
      fc.property(quaternion, vector, (q, v) => {
        const turned = of((o) => rotate(q, v, o));
        expect(Math.hypot(...turned)).toBeCloseTo(Math.hypot(...v), 12);
        close(
          of((o) => rotateInverse(q, turned, o)),
          v,
        );
      }),
      runs,
    );
  });

  it('compose as their quaternions multiply', () => {
    fc.assert(
      fc.property(quaternion, quaternion, vector, (a, b, v) => {
        const product = of((o) => multiply(a, b, o), 4);
        const stepwise = of((o) =>
          rotate(
            a,
            of((i) => rotate(b, v, i)),
            o,
          ),
        );
        close(
          of((o) => rotate(product, v, o)),
          stepwise,
        );
      }),
      runs,
    );
  });

  it('give gravity in the body, and its vertical part as uprightness', () => {
    fc.assert(
      fc.property(quaternion, (q) => {
        const gravity = of((o) => gravityInBody(q, o));
        close(
          gravity,
          of((o) => rotateInverse(q, [0, 0, -1], o)),
        );
        expect(uprightness(q)).toBeCloseTo(-gravity[2], 12);
      }),
      runs,
    );
  });

  it('wrap angles to half a turn either way, without changing the direction', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (a) => {
        const wrapped = wrapAngle_rad(a);
        expect(Math.abs(wrapped)).toBeLessThanOrEqual(Math.PI + 1e-12);
        expect(Math.sin(wrapped)).toBeCloseTo(Math.sin(a), 9);
        expect(Math.cos(wrapped)).toBeCloseTo(Math.cos(a), 9);
      }),
      runs,
    );
  });
});
