import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { loadRobot } from '../../src/robot/load.js';
import { EventRing } from '../../src/safety/events.js';
import { SelfCollision } from '../../src/safety/selfCollision.js';
import { Shaping } from '../../src/safety/shaping.js';

const { spec } = loadRobot('quadruped');
const joint = (name: string) => spec.joints.findIndex((j) => j.name === name);
const home = Float64Array.from(spec.joints, (j) => j.home_rad);

function standing(): Shaping {
  const shaping = new Shaping(spec);
  shaping.takeUp(home);
  return shaping;
}

/** Now and then, something else of all legs, wherever their joints may go. */
function askAnything(asked: Float64Array, tick: number, random: Random): void {
  if (tick % (1 + random.integer(100)) !== 0) return;
  spec.joints.forEach(({ position_rad: [low, high] }, j) => {
    asked[j] = random.uniform(low, high);
  });
}

describe('targets of legs that would cross', () => {
  it('stop before they touch, and hold no other leg', () => {
    const shaping = standing();
    const apart = new SelfCollision(spec);
    const asked = Float64Array.from(home);
    asked[joint('FR_abduction')] = 0.8;
    asked[joint('FL_abduction')] = -0.8;
    asked[joint('RL_hip')] += 1;
    expect(apart.outside_m(asked)).toBeGreaterThan(0);
    const events = new EventRing(spec.joints.length);
    for (let tick = 0; tick < spec.rates.control_hz; tick++) {
      shaping.move(asked, 'policy', tick / spec.rates.control_hz, events);
      expect(apart.outside_m(shaping.executed_rad)).toBeLessThan(1e-3);
    }
    const { executed_rad } = shaping;
    const crossed = executed_rad[joint('FR_abduction')] - executed_rad[joint('FL_abduction')];
    expect(crossed).toBeGreaterThan(0.2);
    expect(crossed).toBeLessThan(1.5);
    expect(executed_rad[joint('RL_hip')]).toBeCloseTo(asked[joint('RL_hip')], 3);
    expect(events.total).toBeGreaterThan(0);
  });

  it('let the one go that gives way', () => {
    const shaping = standing();
    const events = new EventRing(spec.joints.length);
    const asked = Float64Array.from(home);
    const crossing = { FR_abduction: 0.8, FL_abduction: -0.8 };
    for (const [name, to_rad] of Object.entries(crossing)) asked[joint(name)] = to_rad;
    const move = (ticks: number) => {
      for (let tick = 0; tick < ticks; tick++) shaping.move(asked, 'policy', tick / 500, events);
    };
    move(500);
    // The right one still wants to go where the left one is; the left one goes home.
    asked[joint('FL_abduction')] = home[joint('FL_abduction')];
    move(500);
    expect(shaping.executed_rad[joint('FL_abduction')]).toBeCloseTo(home[joint('FL_abduction')], 3);
  });

  it('stay apart whatever is asked of all legs, held for a while or not', () => {
    const apart = new SelfCollision(spec);
    const random = new Random(1);
    let deepest_m = 0;
    for (let life = 0; life < 20; life++) {
      const shaping = standing();
      const asked = Float64Array.from(home);
      const events = new EventRing(spec.joints.length);
      for (let tick = 0; tick < 1000; tick++) {
        askAnything(asked, tick, random);
        shaping.move(asked, 'policy', tick / spec.rates.control_hz, events);
        deepest_m = Math.max(deepest_m, apart.outside_m(shaping.executed_rad));
      }
    }
    // Of 30 mm: between the places that are looked at on the way to rest, a fast leg may come this much nearer.
    expect(deepest_m).toBeLessThan(0.01);
  });

  it('come free again where readings were missed on their way past each other', () => {
    const apart = new SelfCollision(spec);
    const random = new Random(3);
    for (let life = 0; life < 100; life++) {
      const shaping = standing();
      const asked = Float64Array.from(home);
      const events = new EventRing(spec.joints.length);
      for (let tick = 0; tick < 1000; tick++) {
        askAnything(asked, tick, random);
        if (random.uniform(0, 1) < 0.01) shaping.freeze();
        else shaping.move(asked, 'policy', tick / spec.rates.control_hz, events);
      }
      for (let tick = 0; tick < 1500; tick++)
        shaping.move(home, 'policy', (1000 + tick) / spec.rates.control_hz, events);
      expect(apart.outside_m(shaping.executed_rad), `life ${life}`).toBe(0);
    }
  });
});
