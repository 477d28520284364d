import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BusDriver } from '../../drivers/bus/driver.js';
import { toCount } from '../../drivers/bus/encoder.js';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import type { EmulatedServo } from '../../drivers/feetech/emulatedServo.js';
import { feetechDriver } from '../../drivers/feetech/family.js';
import { Register } from '../../drivers/feetech/registers.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { loadRobot } from '../../src/robot/load.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';

const robot = loadRobot('arm');
const { spec } = robot;
const bus = spec.bus![0] as BusOf<'feetech'>;
const drives = spec.joints.map((joint) => bus.joints[joint.name]);
const driverAt = (port: string) => feetechDriver({ spec, bus, path: robot.path, port: join(folder, port) });

let folder: string;
let arm: EmulatedRobot;
let servos: readonly EmulatedServo[];
let driver: BusDriver<BusOf<'feetech'>['joints'][string]>;
/** What the driver is told again and again, as by a control worker. */
let command: JointCommand;
let worker: NodeJS.Timeout;
const state = RobotState.for(spec);
let samples = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'feetech-'));
  arm = new EmulatedRobot(await loadMujoco(), robot, 1, join(folder, 'port'));
  servos = arm.drives as readonly EmulatedServo[];
  driver = driverAt('port-servos');
  command = new JointCommand(spec.joints.length);
  samples = 0;
});

afterEach(async () => {
  clearInterval(worker);
  await driver.deactivate();
  await driver.close();
  await arm.close();
  rmSync(folder, { recursive: true });
});

function tracking(pose_rad: readonly number[]): void {
  command.mode = DriveMode.track;
  command.position_rad.set(pose_rad);
  worker ??= setInterval(() => {}, 1000);
  clearInterval(worker);
  worker = setInterval(() => {
    driver.write(command);
    if (driver.read(state)) samples++;
  }, 2);
}

/** Waits for what has to come; the test's own time-out ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function cycles(n: number): Promise<void> {
  const end = driver.counts.cycles + n;
  await until(() => driver.counts.cycles >= end);
}

const home = spec.joints.map((joint) => joint.home_rad);
const goal = (j: number) =>
  servos[j].memory[Register.goalPosition] | (servos[j].memory[Register.goalPosition + 1] << 8);
const torque = () => servos.map((servo) => servo.memory[Register.torque]);

describe('an arm of Feetech servos, emulated on a pseudo-terminal', () => {
  it('holds still when activated, follows, and is without torque afterwards', async () => {
    await driver.configure();
    expect(torque()).toEqual([0, 0, 0, 0, 0, 0]);
    await driver.activate();
    expect(torque()).toEqual([1, 1, 1, 1, 1, 1]);
    spec.joints.forEach((_, j) => {
      expect(Math.abs(goal(j) - toCount(arm.position_rad(j), drives[j]))).toBeLessThan(60);
    });
    const pose = [0.5, -0.8, 0.9, 0.4, -0.5, 0.6];
    tracking(pose);
    await until(() => samples > 0 && pose.every((q, j) => Math.abs(state.position_rad[j] - q) < 0.15));
    expect(state.supply_v).toBeGreaterThan(10);
    expect(state.temperature_c[0]).toBeGreaterThanOrEqual(25);
    clearInterval(worker);
    await driver.deactivate();
    expect(torque()).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('brakes when commands cease', async () => {
    await driver.configure();
    await driver.activate();
    tracking(home);
    await until(() => samples > 0);
    clearInterval(worker);
    await until(() => driver.watchdogTrips === 1);
    await cycles(2);
    // A brake's goal lags behind the joint, wherever that is; it is not the pose that was asked for.
    const asked = toCount(home[1], drives[1]);
    await until(() => Math.abs(goal(1) - asked) > 40);
  });

  it('counts and retries what a noisy wire loses, and sends nothing but what was asked', async () => {
    await driver.configure();
    await driver.activate();
    tracking(home);
    const asked = home.map((q, j) => toCount(q, drives[j]));
    await until(() => asked.every((count, j) => goal(j) === count));
    Object.assign(arm.ports[0].faults, { flip: 0.03, truncate: 0.02, merge: 0.02 });
    const wild = new Set<number>();
    const watch = setInterval(() => {
      asked.forEach((count, j) => {
        if (goal(j) !== count) wild.add(goal(j));
      });
    }, 1);
    await until(() => driver.counts.retries >= 20);
    clearInterval(watch);
    expect([...wild]).toEqual([]);
    expect(driver.counts.returned).toBe(0);
    expect(torque()).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('lets a servo that lost its power hold its position, whatever is asked', async () => {
    await driver.configure();
    await driver.activate();
    tracking(home);
    await until(() => samples > 0);
    servos[2].power(false);
    await until(() => driver.counts.silent > 3);
    // Meanwhile everything else has gone on, and is far from where the servo is.
    tracking(home.map((q, j) => (j === 2 ? -1 : q)));
    servos[2].power(true);
    await until(() => driver.counts.returned > 0 && torque()[2] === 1);
    const held = goal(2);
    expect(Math.abs(held - toCount(arm.position_rad(2), drives[2]))).toBeLessThan(80);
    const before = samples;
    await cycles(20);
    expect(goal(2)).toBe(held);
    expect(servos[2].limit_nm).toBeCloseTo(2.94);
    // No sample while the kernel still tracks: it finds sensing lost, and stops.
    expect(samples - before).toBeLessThanOrEqual(1);
    command.mode = DriveMode.damp;
    await until(() => samples > before + 2);
    expect(goal(2)).toBe(held);
    // Torque off is the operator's reset: after it the servo obeys again.
    command.mode = DriveMode.off;
    await until(() => torque().every((on) => on === 0));
    tracking(home);
    await until(() => goal(2) === toCount(home[2], drives[2]));
  });

  it('takes a plug that was pulled for one that comes back', async () => {
    await driver.configure();
    await driver.activate();
    tracking(home);
    await until(() => samples > 0);
    arm.ports[0].unplug();
    await until(() => driver.counts.silent > 5);
    arm.ports[0].plug();
    const before = samples;
    await until(() => samples > before + 5);
    expect(driver.counts.returned).toBe(0);
    expect(goal(0)).toBe(toCount(home[0], drives[0]));
  });

  it('stops publishing when a servo switches itself off', async () => {
    await driver.configure();
    await driver.activate();
    tracking(home);
    await until(() => samples > 0);
    servos[1].overload();
    await until(() => driver.counts.refused === 1);
    const before = samples;
    await cycles(20);
    expect(samples - before).toBeLessThanOrEqual(1);
  });
});

describe('an arm that is not as described', () => {
  const refusal = async () => {
    const error = await driver.configure().then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error).toBeInstanceOf(UserError);
    return error!.message;
  };

  it('is refused where a servo is silent', async () => {
    servos[3].power(false);
    expect(await refusal()).toMatch(/port-servos, id 4 \(wrist_flex\) does not answer.*reverie bus scan/);
  });

  it('is refused where a servo is of another model', async () => {
    servos[0].memory[Register.model] = 1;
    expect(await refusal()).toMatch(/id 1 \(shoulder_pan\), register 3: model 769, expected 777/);
  });

  it('is refused where limits are too narrow', async () => {
    servos[0].memory.set([0, 7], Register.maxAngle);
    expect(await refusal()).toMatch(/id 1 .*registers 9 and 11.*0–1792/);
  });

  it('is refused where two servos have one id', async () => {
    servos[1].memory[Register.id] = 1;
    expect(await refusal()).toMatch(/id 2 \(shoulder_lift\) does not answer/);
  });

  it('is refused where nobody is, with what would help', async () => {
    driver = driverAt('nothing');
    expect(await refusal()).toMatch(/nothing at 1000000 baud: No such file.*reverie emulate/);
  });

  it('is refused where the port is busy', async () => {
    await driver.configure();
    const second = driverAt('port-servos');
    await expect(second.configure()).rejects.toThrow(
      /port-servos at 1000000 baud: .*another program has it open/,
    );
  });

  it('is refused where a cycle does not fit its rate, with the arithmetic', () => {
    const slow = { ...bus, baud: 115200 };
    expect(() => feetechDriver({ spec, bus: slow, path: 'robot.yaml', port: 'x' })).toThrow(
      /166 bytes × 10 bits \/ 115200 baud .* does not fit into the 5.00 ms of rate_hz 200; at most 65 Hz/,
    );
  });
});
