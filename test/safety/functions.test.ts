import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chain } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { RobotState } from '../../src/robot/state.js';
import { brakeTarget, restingPlace_rad } from '../../src/safety/braking.js';
import { Contact } from '../../src/safety/contact.js';
import { Derating, exhausted, overheated } from '../../src/safety/derating.js';
import { Frozen } from '../../src/safety/frozen.js';
import { outsideFence_m } from '../../src/safety/geofence.js';
import { Latch } from '../../src/safety/latch.js';
import { drivingPower_w, limitPower } from '../../src/safety/power.js';
import { segmentDistance_m } from '../../src/safety/segments.js';
import { SelfCollision } from '../../src/safety/selfCollision.js';
import { Smoothing } from '../../src/safety/smoothing.js';
import { isCurrent, sensorFreshness } from '../../src/safety/watchdog.js';
import { Workspace } from '../../src/safety/workspace.js';

const quadruped = loadRobot('quadruped').spec;
const arm = loadRobot('arm').spec;
const runs = { seed: 4, numRuns: 200 };
const wild = fc.double({ min: -1e6, max: 1e6, noNaN: true });

const each = (spec: RobotSpec, min: number, max: number) =>
  fc.array(fc.double({ min, max, noNaN: true }), {
    minLength: spec.joints.length,
    maxLength: spec.joints.length,
  });
const pose = (spec: RobotSpec) =>
  each(spec, 0, 1).map((shares) =>
    shares.map((x, j) => {
      const [low, high] = spec.joints[j].position_rad;
      return Math.min(high, low + x * (high - low));
    }),
  );

describe('the low-pass on targets', () => {
  it('bounds the jerk of whatever keeps to the acceleration limit, and follows it within its window', () => {
    const dt = 1 / quadruped.rates.control_hz;
    const n = quadruped.joints.length;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 5, maxLength: 80 }), (pushes) => {
        const smoothing = new Smoothing(quadruped);
        const targets = new Float64Array(2 * n);
        const out = new Float64Array(n);
        smoothing.reset(new Float64Array(n));
        const { acceleration_rad_s2: a, jerk_rad_s3 } = quadruped.joints[0];
        const path = [0, 0, 0];
        for (const push of pushes) {
          targets[1] += push * a * dt;
          targets[0] += targets[1] * dt;
          if (Math.abs(targets[0]) > 0.7) break;
          smoothing.next(targets, out);
          path.push(out[0]);
          const [q0, q1, q2, q3] = path.slice(-4);
          const jerk = (q3 - 3 * q2 + 3 * q1 - q0) / dt ** 3;
          expect(Math.abs(jerk)).toBeLessThanOrEqual(jerk_rad_s3 * (1 + 1e-6));
        }
        for (let t = 0; t < 10; t++) smoothing.next(targets, out);
        expect(out[0]).toBeCloseTo(Math.min(0.803, Math.max(-0.803, targets[0])), 12);
      }),
      runs,
    );
  });
});

describe('braking', () => {
  it('comes to rest no further than was foreseen', () => {
    const joint = quadruped.joints[0];
    const dt = 1 / 500;
    fc.assert(
      fc.property(fc.double({ min: -16, max: 16, noNaN: true }), (v) => {
        const memory = new Float64Array([0, v]);
        const wide = { ...joint, position_rad: [-9, 9] as [number, number] };
        const foreseen = restingPlace_rad(wide, 0, v);
        for (let t = 0; t < 50; t++) brakeTarget(wide, dt, memory, 0);
        expect(memory[1]).toBe(0);
        expect(Math.abs(memory[0])).toBeLessThanOrEqual(Math.abs(foreseen) + 1e-12);
      }),
      runs,
    );
  });
});

describe.each([quadruped, arm])('the power limit of the $name', (spec) => {
  it('holds whatever targets, positions and speeds are', () => {
    let limited = 0;
    fc.assert(
      fc.property(pose(spec), pose(spec), each(spec, -0.5, 0.5), (targets, q, dq) => {
        const state = RobotState.for(spec);
        state.position_rad.set(q);
        state.velocity_rad_s.set(dq.map((v, j) => v * spec.joints[j].velocity_rad_s));
        const given = Float64Array.from(targets);
        const asked = limitPower(spec, given, state);
        if (asked > spec.power_w) limited++;
        expect(drivingPower_w(spec, given, state)).toBeLessThanOrEqual(spec.power_w * (1 + 1e-9));
        given.forEach((target, j) => {
          const [low, high] = spec.joints[j].position_rad;
          expect(target).toBeGreaterThanOrEqual(low);
          expect(target).toBeLessThanOrEqual(high);
        });
      }),
      runs,
    );
    expect(limited).toBeGreaterThan(5);
  });
});

describe('derating', () => {
  const state = RobotState.for(arm);
  const { temperature_max_c, torque_nm } = arm.joints[1];
  const shareAt = (change: (s: RobotState) => void, seconds = 0.002, spec: RobotSpec = arm) => {
    const derating = new Derating(spec);
    state.flat.fill(0);
    change(state);
    for (let t = 0; t < seconds * spec.rates.control_hz; t++) derating.update(state);
    return derating.share[1];
  };

  it('takes torque from a warm drive, evenly until it must stop', () => {
    let before = 2;
    for (let c = temperature_max_c - 20; c <= temperature_max_c + 5; c++) {
      const share = shareAt((s) => s.temperature_c.fill(c));
      expect(share).toBeLessThanOrEqual(before);
      expect(share).toBeGreaterThan(0);
      before = share;
    }
    expect(shareAt((s) => s.temperature_c.fill(30))).toBe(1);
    state.temperature_c.fill(30);
    expect(overheated(arm, state)).toBe(-1);
    state.temperature_c[1] = temperature_max_c + 1;
    expect(overheated(arm, state)).toBe(1);
  });

  it('gives a joint that is loaded for long its continuous torque', () => {
    const { continuous_share, load_s } = arm.derating;
    expect(shareAt((s) => s.torque_nm.fill(torque_nm), 0.1 * load_s)).toBe(1);
    expect(shareAt((s) => s.torque_nm.fill(torque_nm), 2 * load_s)).toBe(continuous_share);
    expect(shareAt((s) => s.torque_nm.fill(0.9 * continuous_share * torque_nm), 10 * load_s)).toBe(1);
  });

  it('takes torque where the supply is weak, and asks to stop where it is too weak', () => {
    const spec = { ...arm, supply: { low_v: 11, min_v: 10 } };
    const at = (v: number) =>
      shareAt(
        (s) => {
          s.supply_v = v;
        },
        0.002,
        spec,
      );
    expect(at(12)).toBe(1);
    expect(at(10.5)).toBeCloseTo(0.7, 9);
    // 0 V is what a robot says that does not measure it.
    expect(at(0)).toBe(1);
    state.supply_v = 9.9;
    expect(exhausted(spec, state)).toBe(true);
    expect(exhausted(arm, state)).toBe(false);
  });
});

describe('the contact limit', () => {
  it('lets go of what a joint pushes against in vain, until it is free', () => {
    const contact = new Contact(arm);
    const state = RobotState.for(arm);
    const run = (seconds: number) => {
      for (let t = 0; t < seconds * arm.rates.control_hz; t++) contact.update(state);
      return contact.share[2];
    };
    state.torque_nm[2] = -0.95 * arm.joints[2].torque_nm;
    expect(run(0.9 * arm.contact.seconds)).toBe(1);
    expect(run(0.2 * arm.contact.seconds)).toBe(arm.contact.torque_share);
    state.torque_nm[2] = -0.5 * arm.joints[2].torque_nm;
    expect(run(1)).toBe(arm.contact.torque_share);
    state.torque_nm[2] = 0;
    expect(run(0.1)).toBe(1);
    // A joint that moves with all it has lifts something.
    state.torque_nm[2] = arm.joints[2].torque_nm;
    state.velocity_rad_s[2] = 1;
    expect(run(3)).toBe(1);
  });

  it('is not put off by a reading that dips', () => {
    const contact = new Contact(arm);
    const state = RobotState.for(arm);
    for (let t = 0; t < 1.3 * arm.contact.seconds * arm.rates.control_hz; t++) {
      state.torque_nm[2] = (t % 20 === 0 ? 0.7 : 1) * arm.joints[2].torque_nm;
      contact.update(state);
    }
    expect(contact.share[2]).toBe(arm.contact.torque_share);
  });
});

describe('frozen sensors', () => {
  /** What is found after so long, where targets and everything but one reading move. */
  const findAfter = (seconds: number, moves: boolean, frozenJoint: number | 'imu' | 'none') => {
    const frozen = new Frozen(quadruped);
    const state = RobotState.for(quadruped);
    const targets = new Float64Array(quadruped.joints.length);
    let found = -1;
    for (let t = 0; t < seconds * quadruped.rates.control_hz; t++) {
      state.time_s = t / quadruped.rates.control_hz;
      targets.fill(moves ? 0.2 * Math.sin(t / 30) : 0);
      for (let j = 0; j < targets.length; j++)
        if (j !== frozenJoint) state.velocity_rad_s[j] = 1e-3 * (t % 3);
      if (frozenJoint !== 'imu') state.gyro_rad_s[1] = 1e-3 * (t % 3);
      found = Math.max(found, frozen.find(state, targets));
    }
    return found;
  };

  it('are found in a joint and in the IMU while the robot moves, and not while it rests', () => {
    expect(findAfter(1, true, 'none')).toBe(-1);
    expect(findAfter(1, true, 7)).toBe(7);
    expect(findAfter(1, true, 'imu')).toBe(quadruped.joints.length);
    expect(findAfter(1, false, 7)).toBe(-1);
    expect(findAfter(0.8 * quadruped.watchdog.frozen_s, true, 7)).toBe(-1);
  });
});

describe('boundaries in space', () => {
  it('the fence is a square about the start', () => {
    const spec = { ...quadruped, geofence: { side_m: 4 } };
    expect(outsideFence_m(spec, [1.9, -1.9])).toBe(0);
    expect(outsideFence_m(spec, [0, -2.5])).toBeCloseTo(0.5, 12);
    expect(outsideFence_m(spec, [Number.NaN, Number.NaN])).toBe(0);
    expect(outsideFence_m(quadruped, [99, 0])).toBe(0);
  });

  it('the workspace is a box about the tool', () => {
    const tool = new Chain(arm.chains[0], arm);
    const workspace = new Workspace(arm);
    const { low_m, high_m } = arm.workspace!;
    fc.assert(
      fc.property(pose(arm), (q) => {
        tool.update(q);
        const inside = tool.tip_m.every((x, k) => x >= low_m[k] && x <= high_m[k]);
        expect(workspace.outside_m(q) === 0).toBe(inside);
      }),
      runs,
    );
  });

  it('finds the distance of segments as a search over their points does', () => {
    const point = fc.tuple(wild, wild, wild).map((p) => p.map((x) => x / 1e6));
    fc.assert(
      fc.property(point, point, point, point, (a, b, c, d) => {
        fc.pre(
          Math.hypot(...a.map((x, k) => x - b[k])) > 0.01 && Math.hypot(...c.map((x, k) => x - d[k])) > 0.01,
        );
        const found = segmentDistance_m(Float64Array.from([...a, ...b, ...c, ...d]), 0, 6);
        let least = Number.POSITIVE_INFINITY;
        for (let s = 0; s <= 1; s += 0.02)
          for (let t = 0; t <= 1; t += 0.02)
            least = Math.min(
              least,
              Math.hypot(...a.map((x, k) => x + s * (b[k] - x) - (c[k] + t * (d[k] - c[k])))),
            );
        expect(found).toBeLessThanOrEqual(least + 1e-9);
        expect(found).toBeGreaterThan(least - 0.06);
      }),
      runs,
    );
  });

  it('standing and sitting keep the legs apart, crossing them does not', () => {
    const collision = new SelfCollision(quadruped);
    const home = quadruped.joints.map((j) => j.home_rad);
    expect(collision.outside_m(home)).toBe(0);
    expect(collision.outside_m(quadruped.stop.pose_rad)).toBe(0);
    // The right front leg turned back onto the hind one, which comes to meet it.
    const crossed = home.slice();
    crossed[1] = 1.4;
    crossed[2] = -0.92;
    crossed[7] = -0.9;
    crossed[8] = -0.92;
    expect(collision.outside_m(crossed)).toBeGreaterThan(0);
  });

  it('home keeps the tool off the base of the arm, folding back onto it does not', () => {
    const collision = new SelfCollision(arm);
    expect(collision.outside_m(arm.joints.map((j) => j.home_rad))).toBe(0);
    expect(collision.outside_m([0, 0, 0, 0, 0, 0])).toBe(0);
    // Upper arm back, forearm and wrist bent all the way.
    expect(collision.outside_m([0, -1.2, 1.69, 1.66, 0, 0])).toBeGreaterThan(0.01);
  });
});

describe('watchdogs and the latch', () => {
  const { sensor_age_s, sensor_lost_s } = arm.watchdog;

  it('takes a moment from the future for as wrong as one from the past', () => {
    for (const sign of [1, -1]) {
      expect(sensorFreshness(arm, sign * 0.9 * sensor_age_s)).toBe('fresh');
      expect(sensorFreshness(arm, sign * 1.1 * sensor_age_s)).toBe('stale');
      expect(sensorFreshness(arm, sign * 1.1 * sensor_lost_s)).toBe('lost');
      expect(isCurrent(sign * 0.2, 0.25)).toBe(true);
      expect(isCurrent(sign * 0.3, 0.25)).toBe(false);
    }
    expect(sensorFreshness(arm, Number.NaN)).toBe('lost');
    expect(isCurrent(Number.NaN, 1)).toBe(false);
    expect(isCurrent(Number.POSITIVE_INFINITY, 1)).toBe(false);
  });

  it('keeps the first cause, but for an emergency stop, until the operator resets it', () => {
    const latch = new Latch();
    latch.set('sensor_invalid');
    latch.set('driver_lost');
    expect(latch.cause).toBe('sensor_invalid');
    latch.set('emergency_stop');
    latch.set('sensor_invalid');
    expect(latch.cause).toBe('emergency_stop');
    latch.reset();
    expect(latch.cause).toBeUndefined();
  });
});
