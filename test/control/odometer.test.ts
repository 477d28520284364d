import { expect, it } from 'vitest';
import { Odometer } from '../../src/control/odometer.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';

const step = (part: Partial<Step>): Step =>
  ({
    episode: 1,
    heading_rad: 0,
    flags: 0,
    position_m: new Float64Array(3),
    truth_m: new Float64Array(3).fill(Number.NaN),
    ...part,
  }) as Step;
const at = (x: number, y = 0) => Float64Array.of(x, y, 0.3);

it('counts net displacement along the heading that the episode started with', () => {
  const odometer = new Odometer();
  odometer.add(step({ heading_rad: Math.PI / 2, position_m: at(5, 1) }));
  odometer.add(step({ heading_rad: Math.PI / 2, position_m: at(-7, 3) }));
  expect(odometer.distance_m).toBeCloseTo(3, 12);
  // Back where it began: a circle is no distance.
  odometer.add(step({ heading_rad: Math.PI / 2, position_m: at(0, 0) }));
  expect(odometer.distance_m).toBeCloseTo(0, 12);
});

it('adds up episodes, and does not count being carried back in between', () => {
  const odometer = new Odometer();
  odometer.add(step({ position_m: at(2) }));
  odometer.add(step({ position_m: at(4), flags: StepFlag.terminal }));
  odometer.add(step({ episode: 2, position_m: at(0.1) }));
  odometer.add(step({ episode: 2, position_m: at(1) }));
  expect(odometer.distance_m).toBeCloseTo(5, 12);
});

it('goes by the truth where a simulator gives it', () => {
  const odometer = new Odometer();
  odometer.add(step({ position_m: at(0.05), truth_m: at(10.05) }));
  odometer.add(step({ position_m: at(2), truth_m: at(11) }));
  expect(odometer.distance_m).toBeCloseTo(1, 12);
});
