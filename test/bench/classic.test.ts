import { expect, test } from 'vitest';
import { cartpoleSwingUp } from '../../bench/classic/cartpole.js';
import { tolerance } from '../../bench/classic/tolerance.js';
import { walkerWalk } from '../../bench/classic/walker.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { Random } from '../../src/base/random.js';

const mj = await loadMujoco();

test('rewards are 1 within bounds, as large as asked for at the margin, and fall to nothing', () => {
  expect(tolerance(0.5, { bounds: [0, 1], margin: 2 })).toBe(1);
  expect(tolerance(3, { bounds: [0, 1], margin: 2 })).toBeCloseTo(0.1);
  expect(tolerance(-2, { bounds: [0, 1], margin: 2 })).toBeCloseTo(0.1);
  expect(tolerance(1, { margin: 2 })).toBeCloseTo(0.1 ** 0.25);
  expect(tolerance(1, { margin: 2, atMargin: 0, falloff: 'quadratic' })).toBeCloseTo(0.75);
  expect(tolerance(9, { margin: 2, atMargin: 0, falloff: 'quadratic' })).toBe(0);
  expect(tolerance(1, { margin: 2, atMargin: 0.5, falloff: 'linear' })).toBeCloseTo(0.75);
  expect(tolerance(9, { margin: 2, atMargin: 0.5, falloff: 'linear' })).toBe(0);
});

test('a hanging pole earns nothing; a controller that pumps energy in and balances earns most of 1000', () => {
  const task = cartpoleSwingUp(mj);
  task.begin(new Random(1));
  expect(task.frame([0])).toBeLessThan(0.01);
  let score = 0;
  for (let frame = 0; frame < 1000; frame++) score += task.frame([swingUp(task.observation)]);
  expect(score).toBeGreaterThan(500);
  expect(score).toBeLessThan(1000);
  task.close();
});

/** Pumps energy until the pole is up (Åström and Furuta, "Swinging up a pendulum by energy control", 2000), then balances. */
function swingUp([x, cos, sin, v, w]: Float32Array): number {
  if (cos > 0.9) return 0.1 * x + 0.3 * v + 6 * sin + 1.2 * w;
  // Of a rod of 1 m about its end, over its mass: 0 where it stands upright.
  const energy = w ** 2 / 6 + 4.9 * (cos - 1);
  return -0.8 * Math.sign(w * cos) * Math.min(1, -energy) - 0.4 * x - 0.1 * v;
}

test('a walker that does nothing lies down; what it sees is bounded and repeats with its seed', () => {
  const task = walkerWalk(mj);
  const fall = () => {
    task.begin(new Random(4));
    let last = 0;
    for (let frame = 0; frame < 300; frame++) last = task.frame([0, 0, 0, 0, 0, 0]);
    return { last, seen: Array.from(task.observation) };
  };
  const first = fall();
  expect(first.last).toBeGreaterThan(0);
  expect(first.last).toBeLessThan(0.15);
  expect(first.seen).toHaveLength(24);
  expect(first.seen[14]).toBeLessThan(0.6);
  expect(Math.hypot(first.seen[0], first.seen[1])).toBeLessThanOrEqual(1.0001);
  expect(fall()).toEqual(first);
  task.close();
});
