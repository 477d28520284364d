import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { putRight } from '../../src/control/attendant.js';
import type { RobotProcess, RobotProcessOptions } from '../../src/control/robotProcess.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import type { Bundle } from '../../src/policy/bundle.js';
import { authorities } from '../../src/safety/authority.js';
import type { SafetyEvent } from '../../src/safety/events.js';
import type { Fault, FaultyDriverOptions } from './faultyDriver.js';
import {
  driverModule,
  eventually,
  inMemory,
  patient,
  simOptions,
  startQuadruped,
  stepWhere,
  untrainedBundle,
} from './support.js';

let bundle: Bundle;
let robot: RobotProcess;
let steps: Step[];
let events: SafetyEvent[];

async function start(options: Partial<RobotProcessOptions> = {}): Promise<void> {
  robot = await startQuadruped(options);
  steps = [];
  events = [];
  robot.steps.subscribe((step) => steps.push(step));
  robot.events.subscribe((event) => events.push(event));
}

const causes = () => events.map((e) => e.cause);

async function startFaulty(fault: Fault): Promise<Int32Array> {
  const trigger = new SharedArrayBuffer(4);
  const options: FaultyDriverOptions = { sim: simOptions, trigger, fault };
  await start({ driver: { module: driverModule('./faultyDriver.js'), options } });
  return new Int32Array(trigger);
}

async function run(): Promise<void> {
  expect(await robot.arm()).toBe(true);
  expect(await robot.setPolicy(bundle)).toEqual({ admitted: true, number: 1 });
  await stepWhere(robot, (s) => s.step >= 2);
}

// Before any robot runs: it takes a silent main thread for a dead one.
beforeAll(async () => {
  bundle = inMemory(await untrainedBundle());
});

afterEach(async () => {
  await robot?.close();
});

describe('RobotProcess', () => {
  it('stands up, acts, and sits down when told to stop', async () => {
    await start();
    await run();
    const acted = await stepWhere(robot, (s) => s.step >= 10);
    expect(acted.truth_m[2]).toBeGreaterThan(0.2);
    const { mode, ticks, latched, policy, falls, drive_watchdog } = robot.status();
    expect({ mode, latched, policy, falls, drive_watchdog }).toEqual({
      mode: 'run',
      latched: undefined,
      policy: 1,
      falls: 0,
      drive_watchdog: 0,
    });
    expect(ticks).toBeGreaterThan(10 * 25);
    const numbers = steps.map((s) => s.step);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    await robot.requestStop();
    expect(robot.status().mode).toBe('stopped');
    await eventually('the cut step', () => steps.at(-1)!.flags === StepFlag.interrupted);
    await eventually('the event', () => causes().includes('stop_requested'));
    await robot.close();
    expect(robot.status().steps_lost).toBe(0);
  });

  it('moves by gaits before there is a policy, where it explores, and makes experience of them', async () => {
    await start({ warmUp: 'gaits', explore: 1 });
    expect(await robot.arm()).toBe(true);
    await stepWhere(robot, (s) => s.step >= 5);
    expect(steps[0].policy).toBe(0);
    expect(steps.slice(0, 5).every((s) => (s.flags & StepFlag.interrupted) === 0)).toBe(true);
    expect(steps[4].executed).not.toEqual(steps[1].executed);
    expect(await robot.setPolicy(bundle)).toEqual({ admitted: true, number: 1 });
    await stepWhere(robot, (s) => s.policy === 1);
  });

  it('latches an emergency stop until it is reset', async () => {
    await start();
    expect(await robot.arm()).toBe(true);
    robot.emergencyStop();
    await eventually('braking', () => robot.status().mode === 'damp');
    expect(robot.status().latched).toBe('emergency_stop');
    await robot.requestStop();
    expect(await robot.arm()).toBe(false);
    expect(robot.status()).toMatchObject({ mode: 'damp', latched: 'emergency_stop' });
    await robot.reset();
    expect(robot.status()).toMatchObject({ mode: 'idle', latched: undefined });
    expect(await robot.arm()).toBe(true);
    await eventually('standing', () => robot.status().mode === 'run');
  });

  it.each([
    ['nan', 'sensor_invalid'],
    ['stale', 'sensor_lost'],
  ] as const)('brakes and latches on a %s sample', async (fault, cause) => {
    const trigger = await startFaulty(fault);
    await run();
    Atomics.store(trigger, 0, 1);
    await eventually('braking', () => robot.status().mode === 'damp');
    expect(robot.status().latched).toBe('sensor_invalid');
    await eventually('the event', () => causes().includes(cause));
    await eventually('the cut step', () => steps.at(-1)!.flags === StepFlag.interrupted);
    expect(robot.status().falls).toBe(0);
  });

  it('brakes and reports when the driver dies', async () => {
    const trigger = await startFaulty('throws');
    const failures: Error[] = [];
    robot.failures.subscribe((error) => failures.push(error));
    expect(await robot.arm()).toBe(true);
    Atomics.store(trigger, 0, 1);
    await eventually('the failure', () => failures.length > 0);
    expect(failures[0].message).toContain('the bus is gone');
    await eventually('braking', () => robot.status().mode === 'damp');
  });

  it('is put back on its feet after a fall in simulation, and goes on', async () => {
    const trigger = await startFaulty('tipped');
    await run();
    Atomics.store(trigger, 0, 1);
    const fallen = await stepWhere(robot, (s) => s.flags !== 0);
    expect(fallen.flags).toBe(StepFlag.terminal);
    await eventually('braking', () => robot.status().mode === 'damp');
    Atomics.store(trigger, 0, 0);
    const [again] = await Promise.all([stepWhere(robot, (s) => s.episode === 2), putRight(robot)]);
    expect(again.truth_m[2]).toBeGreaterThan(0.2);
    expect(robot.status().falls).toBe(1);
    expect(causes()).toContain('fall');
  });

  it('sits down when the main thread falls silent', async () => {
    await start();
    expect(await robot.arm()).toBe(true);
    await eventually('standing', () => robot.status().mode === 'run');
    // Longer than the silence that is borne and the way to the stop pose together.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    expect(robot.status().main_lost).toBe(1);
    await eventually('sitting', () => robot.status().mode === 'stopped');
    await eventually('the event', () => causes().includes('supervisor_lost'));
  });

  it('is led by a person, who takes it from the policy and gives it back', async () => {
    await start();
    await run();
    const { spec } = robot.options;
    expect(() => robot.personTarget([0])).toThrow(RangeError);
    expect(await robot.takeOver('person')).toBe(true);
    const crouch = spec.joints.map((j) => j.home_rad + (j.name.endsWith('knee') ? -0.2 : 0));
    const hand = setInterval(() => robot.personTarget(crouch), 20);
    const knee = spec.joints.findIndex((j) => j.name.endsWith('knee'));
    const observer = robot.observe();
    await eventually('crouching', () => {
      observer.update();
      return Math.abs(observer.state.position_rad[knee] - crouch[knee]) < 0.1;
    });
    expect(robot.status()).toMatchObject({ authority: 'person', mode: 'run' });
    expect(await robot.takeOver('recovery')).toBe(false);
    clearInterval(hand);
    await eventually('holding', () => robot.status().mode === 'hold');
    await eventually('the event', () => causes().includes('deadman'));
    await robot.release();
    expect(robot.status().authority).toBe('policy');
    await eventually('a step of the policy', () => authorities[steps.at(-1)!.authority] === 'policy');
    const theirs = steps.filter((s) => authorities[s.authority] === 'person');
    expect(theirs.length).toBeGreaterThan(2);
    expect(new Set(theirs.map((s) => s.flags))).toEqual(new Set([0]));
  });

  it('refuses a policy for another robot or with a broken network, and keeps the one it has', async () => {
    await start();
    await run();
    const { manifest, onnx } = bundle;
    const other = await robot.setPolicy({
      ...bundle,
      manifest: { ...manifest, robot: 'goat', policy_hz: 50 },
    });
    expect(other).toMatchObject({ admitted: false });
    expect(!other.admitted && other.reasons.join()).toMatch(/"goat".*50 Hz/);
    const broken = await robot.setPolicy({ ...bundle, onnx: onnx.slice(0, onnx.length / 2) });
    expect(broken.admitted).toBe(false);
    const before = steps.length;
    await eventually('steps go on', () => steps.length > before + 2);
    expect(steps.at(-1)!.policy).toBe(1);
    expect(robot.status()).toMatchObject({ policy: 1, mode: 'run' });
    expect(await robot.setPolicy(bundle)).toMatchObject({ admitted: true });
    expect(robot.status().policy).toBe(4);
  });

  it('refuses to explore with a policy that has no spread', async () => {
    await start({ explore: 0.5 });
    const { network } = bundle.manifest;
    const manifest = { ...bundle.manifest, network: { ...network, outputs: { action: 'action' } } };
    const answer = await robot.setPolicy({ ...bundle, manifest });
    expect(!answer.admitted && answer.reasons.join()).toContain('log_std');
  });

  it('hosts a driver that lives on the event loop', async () => {
    await start({ driver: { module: driverModule('./eventedDriver.js'), options: simOptions } });
    await run();
    const step = await stepWhere(robot, (s) => s.step >= 5);
    expect(robot.canReplace).toBe(false);
    expect(step.flags).toBe(0);
    await expect(robot.time.pause()).rejects.toThrow('quadruped is no simulation');
  });

  it('holds a simulated world, its clock and itself for longer than any watchdog, and goes on as if nothing had been', async () => {
    await start();
    await run();
    const observer = robot.observe();
    const look = () => {
      observer.update();
      return { time_s: robot.time.now_s(), sample_s: observer.state.time_s, ticks: robot.status().ticks };
    };
    await robot.time.pause();
    // The driver may still be at the last period.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const held = look();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(look()).toEqual(held);
    const period_s = 1 / patient.rates.control_hz;
    await robot.time.step(30);
    await eventually('the samples of the step', () => look().sample_s > held.sample_s + 25 * period_s);
    const stepped = look();
    expect(stepped.ticks - held.ticks).toBe(30);
    // Ticks that were missed on a busy machine have passed too.
    expect(stepped.time_s - held.time_s).toBeGreaterThan(29.5 * period_s);
    expect(steps.every(({ flags }) => flags === 0)).toBe(true);
    robot.time.resume();
    const { step } = steps.at(-1)!;
    const later = await stepWhere(robot, (s) => s.step > step + 5);
    expect(later.time_s - stepped.time_s).toBeLessThan(1);
    // A busy machine may be late; the watchdogs of sensors and commands saw nothing.
    const seen = causes().filter((cause) => cause !== 'loop_overrun');
    expect({ causes: seen, ...robot.status() }).toMatchObject({ causes: [], mode: 'run', episodes: 1 });
    await expect(robot.time.step(1)).rejects.toThrow('not paused');
  });

  it('takes an emergency stop while it is paused, for which its world goes on', async () => {
    await start();
    await run();
    await robot.time.pause();
    robot.emergencyStop();
    await eventually('braking', () => robot.status().mode === 'damp');
    expect(robot.status().latched).toBe('emergency_stop');
  });

  it('says what is wrong with a robot that the driver does not find', async () => {
    const options = { ...simOptions, robot: 'unicorn' };
    const module = driverModule('../../sim/realtimeDriver.js');
    await expect(startQuadruped({ driver: { module, options } })).rejects.toThrow('no robot "unicorn"');
  });
});
