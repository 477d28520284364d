import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadRobot } from '../../src/robot/load.js';
import { moveTarget } from '../../src/safety/target.js';

const joint = loadRobot('quadruped').spec.joints[1];
const [low, high] = joint.position_rad;
const place = fc.double({ min: low, max: high, noNaN: true });
const rate = fc.constantFrom(50, 200, 500, 1000);
const runs = { seed: 2, numRuns: 300 };

describe('moveTarget', () => {
  it('from rest arrives at what was asked, without overshoot, in the time that the limits allow', () => {
    fc.assert(
      fc.property(place, place, rate, (from, to, hz) => {
        const memory = new Float64Array([from, 0]);
        const distance = Math.abs(to - from);
        const way = Math.sign(to - from);
        // Trapezoid or triangle of speed, and a tick for each time its corners fall between ticks.
        const { velocity_rad_s: v, acceleration_rad_s2: a } = joint;
        const shortest_s = distance > (v * v) / a ? distance / v + v / a : 2 * Math.sqrt(distance / a);
        const ticks = Math.ceil(shortest_s * hz) + 3;
        for (let t = 0; t < ticks; t++) {
          const before = memory[0];
          moveTarget(joint, to, joint.velocity_rad_s, 1 / hz, memory, 0);
          // Towards it, never past it.
          expect((memory[0] - before) * way).toBeGreaterThanOrEqual(-1e-12);
          expect((to - memory[0]) * way).toBeGreaterThanOrEqual(-1e-12);
        }
        expect(memory[0]).toBeCloseTo(to, 9);
        expect(Math.abs(memory[1])).toBeLessThan(joint.acceleration_rad_s2 / hz + 1e-9);
      }),
      runs,
    );
  });

  it('keeps inside the position range however what is asked jumps about', () => {
    const anywhere = fc.double({ min: low - 10, max: high + 10, noNaN: true });
    fc.assert(
      fc.property(
        place,
        fc.array(fc.tuple(anywhere, fc.integer({ min: 1, max: 40 })), { maxLength: 30 }),
        rate,
        (from, wishes, hz) => {
          const memory = new Float64Array([from, 0]);
          for (const [asked, ticks] of wishes)
            for (let t = 0; t < ticks; t++) {
              const before = memory[1];
              moveTarget(joint, asked, joint.velocity_rad_s, 1 / hz, memory, 0);
              expect(memory[0]).toBeGreaterThanOrEqual(low);
              expect(memory[0]).toBeLessThanOrEqual(high);
              expect(Math.abs(memory[1])).toBeLessThanOrEqual(joint.velocity_rad_s);
              expect(Math.abs(memory[1] - before)).toBeLessThanOrEqual(joint.acceleration_rad_s2 / hz + 1e-9);
            }
        },
      ),
      runs,
    );
  });
});
