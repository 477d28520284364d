import { filter, firstValueFrom, timeout } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RobotProcess } from '../../src/control/robotProcess.js';
import type { Step } from '../../src/control/stepRecord.js';
import { readBundle } from '../../src/policy/bundle.js';
import { Chain } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { authorities } from '../../src/safety/authority.js';
import { stillHand } from '../../src/teleop/hand.js';
import { TeleopSession } from '../../src/teleop/session.js';
import { driverModule, eventually } from '../control/support.js';

/** With watchdogs that a busy machine does not set off. */
const arm: RobotSpec = (() => {
  const { spec } = loadRobot('arm');
  const watchdog = { ...spec.watchdog, sensor_age_s: 0.5, sensor_lost_s: 1, command_age_s: 1 };
  return { ...spec, watchdog, stop: { ...spec.stop, seconds: 0.5 } };
})();
const PERSON = authorities.indexOf('person');

let robot: RobotProcess;
let session: TeleopSession;

beforeAll(async () => {
  robot = await RobotProcess.start({
    spec: arm,
    driver: {
      module: driverModule('../../sim/realtimeDriver.js'),
      options: { robot: 'arm', seed: 1, randomisation: 'none' },
    },
    task: 'reach',
    explore: 0,
    seed: 1,
    fifo: true,
  });
  session = new TeleopSession(robot);
  await robot.setPolicy(readBundle('arm-reach'));
  await robot.arm();
  await eventually('an episode', () => robot.status().episodes > 0);
});
afterAll(async () => {
  session?.close();
  await robot?.close();
});

/** Forward reach of the tool, where the drives are told to be. */
function reach_m(): number {
  const observer = robot.observe();
  observer.update();
  const chain = new Chain(arm.chains[0], arm);
  chain.update(observer.command.position_rad);
  return chain.tip_m[0];
}

const nextStep = (wanted: (step: Step) => boolean) =>
  firstValueFrom(robot.steps.pipe(filter(wanted), timeout(20_000)));

/** Holds a device's switch. @returns what lets go */
function hold(tell: () => void): () => void {
  tell();
  const timer = setInterval(tell, 20);
  return () => clearInterval(timer);
}

describe('a session', () => {
  it('takes over in the middle of an episode, without moving, and marks its steps', async () => {
    const { episode } = await nextStep((step) => step.authority !== PERSON);
    expect(await session.takeOver()).toBe(true);
    expect(robot.status().authority).toBe('person');
    await eventually('it holds', () => robot.status().mode === 'hold');
    const before = reach_m();
    const step = await nextStep((s) => s.authority === PERSON);
    expect(step.episode - episode).toBeLessThanOrEqual(1);
    expect(Math.abs(reach_m() - before)).toBeLessThan(1e-3);
  });

  it('leads the tool while a hand is on the switch, and holds when it is off', async () => {
    const before = reach_m();
    const letGo = hold(() => session.move({ ...stillHand, linear: [-0.5, 0, 0] }));
    await eventually('it moves', () => reach_m() < before - 0.02);
    expect(robot.status().mode).toBe('run');
    letGo();
    await eventually('it holds', () => robot.status().mode === 'hold');
    const held = reach_m();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(Math.abs(reach_m() - held)).toBeLessThan(2e-3);
  });

  it('goes to a pose only while the switch is held', async () => {
    expect(session.poses).toEqual(['home', 'rest']);
    expect(session.goTo('moon')).toBe(false);
    expect(session.goTo('home')).toBe(true);
    const held = reach_m();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(Math.abs(reach_m() - held)).toBeLessThan(2e-3);
    const letGo = hold(() => session.move(stillHand));
    const observer = robot.observe();
    await eventually('home', () => {
      observer.update();
      return arm.joints.every((j, i) => Math.abs(observer.command.position_rad[i] - j.home_rad) < 0.01);
    });
    letGo();
  });

  it('follows a leader joint by joint, eased in', async () => {
    const goal = arm.joints.map((j) => j.home_rad - 0.3);
    const observer = robot.observe();
    const away = () => {
      observer.update();
      return Math.max(...goal.map((q, j) => Math.abs(q - observer.command.position_rad[j])));
    };
    const letGo = hold(() => session.follow(goal));
    // It sets out from where the robot is: the first targets are its own.
    await eventually('it sets out', () => away() < 0.28);
    expect(away()).toBeGreaterThan(0.1);
    await eventually('it is there', () => away() < 0.02);
    letGo();
  });

  it('gives back to the policy', async () => {
    await session.release();
    expect(session.active).toBe(false);
    await nextStep((step) => step.authority === authorities.indexOf('policy'));
  });

  it('does not take over a robot that is stopped', async () => {
    robot.emergencyStop();
    await eventually('the latch', () => robot.status().latched === 'emergency_stop');
    expect(await session.takeOver()).toBe(false);
  });
});
