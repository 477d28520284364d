import { describe, expect, it } from 'vitest';
import { createDriver } from '../../sim/realtimeDriver.js';
import { now_s, RateKeeper } from '../../src/control/clock.js';
import { loadRobot } from '../../src/robot/load.js';
import { uprightness } from '../../src/robot/rotation.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { simOptions } from './support.js';

const { spec } = loadRobot('quadruped');

describe('the simulated robot in real time', () => {
  it('brakes by its drives’ own watchdog when commands stop coming', async () => {
    const driver = await createDriver(simOptions);
    await driver.configure();
    await driver.activate();
    const cycle = (ms: number) => {
      const rate = new RateKeeper(spec.rates.control_hz, 0);
      for (let t = 0; t < ms / 2; t++) {
        rate.wait();
        driver.cycle!(now_s());
      }
    };
    const state = RobotState.for(spec);
    // Before the first command it holds still, as activated.
    cycle(300);
    driver.read(state);
    expect(driver.watchdogTrips).toBe(0);
    expect(driver.truth!.position_m[2]).toBeGreaterThan(0.2);
    const hold = new JointCommand(spec.joints.length);
    hold.mode = DriveMode.track;
    spec.joints.forEach((joint, j) => {
      hold.position_rad[j] = joint.home_rad;
      hold.kp_nm_rad[j] = joint.kp_nm_rad;
      hold.kd_nm_s_rad[j] = joint.kd_nm_s_rad;
    });
    driver.write(hold);
    cycle(1500);
    expect(driver.watchdogTrips).toBe(1);
    // Drives that only brake let the body sink.
    expect(driver.truth!.position_m[2]).toBeLessThan(0.2);
    driver.replace!();
    driver.write(hold);
    cycle(20);
    expect(driver.truth!.position_m[2]).toBeGreaterThan(0.2);
    await driver.close();
  });

  it.each([
    ['lying', 0],
    ['standing', 1],
  ] as const)(
    'is found %s, where its launch file says so, and put back on its feet',
    async (start, upright) => {
      const driver = await createDriver({ ...simOptions, start });
      await driver.configure();
      const state = RobotState.for(spec);
      // Seed by seed another lying; this one is not on its belly.
      driver.read(state);
      expect(Math.round(uprightness(state.orientation))).toBeLessThanOrEqual(upright);
      if (start === 'standing') expect(uprightness(state.orientation)).toBeGreaterThan(0.99);
      driver.replace!();
      driver.read(state);
      expect(uprightness(state.orientation)).toBeGreaterThan(0.99);
      await driver.close();
    },
  );

  it('stamps samples on the clock that all threads share', async () => {
    const driver = await createDriver(simOptions);
    await driver.configure();
    await driver.activate();
    const state = RobotState.for(spec);
    const rate = new RateKeeper(spec.rates.control_hz, 0);
    const stamps: number[] = [];
    for (let t = 0; t < 50; t++) {
      rate.wait();
      driver.cycle!(now_s());
      if (driver.read(state)) stamps.push(state.time_s);
    }
    const [seconds, nanoseconds] = process.hrtime();
    const time_s = seconds + 1e-9 * nanoseconds;
    expect(stamps.length).toBeGreaterThan(10);
    for (let i = 1; i < stamps.length; i++) expect(stamps[i]).toBeGreaterThan(stamps[i - 1]);
    expect(stamps.at(-1)!).toBeLessThan(time_s);
    expect(stamps[0]).toBeGreaterThan(time_s - 60);
    await driver.close();
  });
});
