import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chain } from '../../src/robot/kinematics.js';
import { dampedLeastSquares } from '../../src/robot/leastSquares.js';
import { loadRobot } from '../../src/robot/load.js';
import { type Hand, stillHand } from '../../src/teleop/hand.js';
import { CartesianJog } from '../../src/teleop/jog.js';

const { spec } = loadRobot('arm');
const home = () => Float64Array.from(spec.joints, (j) => j.home_rad);
const DT_S = 0.02;

/** Where the tool is and where it points, as the chain's own kinematics have it. */
function tool(q: Float64Array): { readonly tip: number[]; readonly points: number[] } {
  const chain = new Chain(spec.chains.find((c) => c.kind === 'tool')!, spec);
  chain.update(q);
  return { tip: [...chain.tip_m], points: [0, 3, 6].map((row) => chain.rotation[row]) };
}

function led(hand: Partial<Hand>, seconds: number, q = home()): Float64Array {
  const jog = new CartesianJog(spec);
  for (let t = 0; t < seconds / DT_S; t++) jog.advance({ ...stillHand, ...hand }, DT_S, q);
  return q;
}

const gap = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((x, k) => x - b[k]));

describe('jogging', () => {
  it.each([
    ['forward', [0.2, 0, 0]],
    ['left', [0, 0.2, 0]],
    ['down', [0, 0, -0.2]],
  ] as const)('leads the tool %s, at the asked speed and without tilting it', (_where, linear) => {
    const before = tool(home());
    const then = tool(led({ linear: [...linear] }, 0.4));
    const wanted = before.tip.map((x, k) => x + 0.4 * spec.person.tool_m_s * linear[k]);
    expect(gap(then.tip, wanted)).toBeLessThan(2e-3);
    // The pitch stays; where the shoulder turns to get to the side, the tool turns with it.
    expect(Math.abs(then.points[2] - before.points[2])).toBeLessThan(0.01);
  });

  it('turns the tool about its tip', () => {
    const before = tool(home());
    const pitched = tool(led({ pitch: 0.3 }, 0.4));
    expect(gap(pitched.tip, before.tip)).toBeLessThan(2e-3);
    expect(pitched.points[2]).toBeLessThan(before.points[2] - 0.1);
    const q = led({ roll: 0.3 }, 0.4);
    expect(gap(tool(q).tip, before.tip)).toBeLessThan(2e-3);
    const roll = spec.joints.findIndex((j) => j.name === 'wrist_roll');
    expect(q[roll]).toBeGreaterThan(home()[roll] + 0.1);
  });

  it('opens the gripper, and nothing else', () => {
    const gripper = spec.joints.findIndex((j) => j.name === 'gripper');
    const q = led({ gripper: 1 }, 0.2);
    expect(q[gripper]).toBeGreaterThan(home()[gripper] + 0.1);
    q[gripper] = home()[gripper];
    for (const [j, x] of home().entries()) expect(q[j]).toBeCloseTo(x, 9);
  });

  it('keeps every joint in range and below a person’s speed, from any pose, wherever the hand goes', () => {
    const axis = fc.double({ min: -1, max: 1, noNaN: true });
    const pose = fc.tuple(
      ...spec.joints.map(({ position_rad: [min, max] }) => fc.double({ min, max, noNaN: true })),
    );
    const hand = fc.record({
      linear: fc.tuple(axis, axis, axis),
      pitch: axis,
      roll: axis,
      gripper: axis,
    });
    fc.assert(
      fc.property(pose, hand, (from, held) => {
        const jog = new CartesianJog(spec);
        const q = Float64Array.from(from);
        for (let t = 0; t < 25; t++) {
          const before = q.slice();
          jog.advance(held, DT_S, q);
          for (const [j, joint] of spec.joints.entries()) {
            expect(q[j]).toBeGreaterThanOrEqual(joint.position_rad[0]);
            expect(q[j]).toBeLessThanOrEqual(joint.position_rad[1]);
            const most = spec.person.joint_share * joint.velocity_rad_s * DT_S;
            expect(Math.abs(q[j] - before[j])).toBeLessThanOrEqual(most + 1e-9);
          }
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe('damped least squares', () => {
  it('solves exactly where it can, and stays bounded where the matrix is singular', () => {
    const out = new Float64Array(2);
    dampedLeastSquares(Float64Array.of(2, 1, 0, 3), 2, 2, [5, 6], out, 1e-4, 0.1);
    expect([...out]).toEqual([expect.closeTo(1.5, 9), expect.closeTo(2, 9)]);
    // Both joints move the tip the same way; the other way is out of reach.
    dampedLeastSquares(Float64Array.of(1, 1, 0, 0), 2, 2, [1, 1], out, 1e-2, 0.1);
    expect(out[0]).toBeCloseTo(out[1], 12);
    expect(Math.abs(out[0])).toBeLessThan(1);
  });
});
