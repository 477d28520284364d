import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clearFaults, inject, parseFault } from '../../drivers/emulator/injection.js';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import { RobotDriver } from '../../drivers/robotDriver.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { UserError } from '../../src/base/errors.js';
import { loadRobot } from '../../src/robot/load.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { until } from './support.js';

const robot = loadRobot('quadruped');
const { spec, path } = robot;
let folder: string;
let emulated: EmulatedRobot;
let driver: RobotDriver;
let worker: NodeJS.Timeout;
const state = RobotState.for(spec);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quadruped-'));
  emulated = new EmulatedRobot(await loadMujoco(), robot, 1, join(folder, 'port'));
  const ports = Object.fromEntries(emulated.ports.map((p) => [p.name, p.path]));
  driver = new RobotDriver({ spec, path, ports });
});
afterEach(async () => {
  clearInterval(worker);
  await driver.deactivate();
  await driver.close();
  await emulated.close();
  rmSync(folder, { recursive: true });
});

it('stands up on two CAN buses and an IMU, feels its feet, and is as old as what is silent', {
  timeout: 240_000,
}, async () => {
  await driver.configure();
  await driver.activate();
  const command = new JointCommand(spec.joints.length);
  spec.joints.forEach((joint, j) => {
    command.position_rad[j] = joint.home_rad;
    command.kp_nm_rad[j] = joint.kp_nm_rad;
    command.kd_nm_s_rad[j] = joint.kd_nm_s_rad;
  });
  worker = setInterval(() => {
    driver.write(command);
    driver.read(state);
  }, 2);
  // 12.45 kg without the legs, which the torques do not carry to the feet.
  const weight_n = () => state.footForce_n.reduce((sum, f) => sum + f, 0);
  const stands = () => emulated.base_m[2] > 0.28 && weight_n() > 60 && weight_n() < 160;
  // Off first, as a kernel that is not armed: whoever came back meanwhile obeys again. A pause of the
  // machine lets the drives' own watchdogs act; then it is taken up anew, as by an operator.
  while (!stands()) {
    command.mode = DriveMode.off;
    await until(() => emulated.drives.every((d) => d.loop === undefined));
    command.mode = DriveMode.track;
    await until(stands, 10_000);
  }
  expect(Math.abs(state.orientation[0])).toBeGreaterThan(0.97);
  expect(Math.abs(state.accel_m_s2[2] - 9.81)).toBeLessThan(3);
  // The drives go on; the sample stays as old as the IMU's last.
  inject(emulated, parseFault('silence=imu'));
  const [front] = driver.parts as unknown as readonly { readonly counts: { readonly cycles: number } }[];
  const wait = (cycles: number) => {
    const end = front.counts.cycles + cycles;
    return until(() => front.counts.cycles > end);
  };
  await wait(10);
  const { time_s } = state;
  await wait(10);
  expect(state.time_s).toBe(time_s);
});

it('refuses faults that name nobody, and undoes those that it has', () => {
  expect(() => inject(emulated, parseFault('power=tail'))).toThrow(
    /no drive "tail"; drives are FR_abduction/,
  );
  expect(() => inject(emulated, parseFault('unplug=left'))).toThrow(
    /no bus "left"; buses are front, rear, imu/,
  );
  expect(() => inject(emulated, parseFault('flip=2'))).toThrow(UserError);
  expect(() => parseFault('explode=1')).toThrow(/no fault; expected KIND=VALUE/);
  inject(emulated, parseFault('power=rear:2'));
  inject(emulated, parseFault('duplicate-id=FR_hip'));
  inject(emulated, parseFault('flip=0.5'));
  const hip = spec.joints.findIndex((j) => j.name === 'RR_hip');
  expect(emulated.drives[hip].powered).toBe(false);
  expect(emulated.drives[2].id).toBe(2);
  clearFaults(emulated);
  expect(emulated.drives[hip].powered).toBe(true);
  expect(emulated.drives[2].id).toBe(3);
  expect(emulated.ports.every((p) => p.faults.flip === 0)).toBe(true);
});
