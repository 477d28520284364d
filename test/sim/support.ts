import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { stringify } from 'yaml';
import { loadMujoco, type Mujoco } from '../../sim/mujoco.js';
import { loadRobot, type Robot } from '../../src/robot/load.js';

let module: Promise<Mujoco> | undefined;

/** MuJoCo, instantiated once for all tests of a file. */
export function mujoco(): Promise<Mujoco> {
  module ??= loadMujoco();
  return module;
}

/** A two-link pendulum on a fixed base, whose numbers are easy to check by hand. */
export const pendulumXml = `
<mujoco>
  <compiler angle="radian"/>
  <worldbody>
    <body name="base">
      <geom type="box" size="0.05 0.05 0.05" mass="1" contype="0" conaffinity="0"/>
      <body name="upper" pos="0 0 0.5">
        <joint name="shoulder" axis="0 1 0" range="-3 3"/>
        <geom type="capsule" fromto="0 0 0 0 0 0.2" size="0.01" mass="0.2" contype="0" conaffinity="0"/>
        <body name="lower" pos="0 0 0.2">
          <joint name="elbow" axis="0 1 0" range="-2 2"/>
          <geom type="capsule" fromto="0 0 0 0 0 0.1" size="0.01" mass="0.1" contype="0" conaffinity="0"/>
          <site name="tip" pos="0 0 0.1"/>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>`;

const joint = (name: string, range: [number, number]) => ({
  name,
  position_rad: range,
  velocity_rad_s: 8,
  acceleration_rad_s2: 100,
  jerk_rad_s3: 100_000,
  torque_nm: 2,
  no_load_speed_rad_s: 10,
  kp_nm_rad: 20,
  kd_nm_s_rad: 0.5,
  home_rad: 0,
  action_rad: 0.5,
  temperature_max_c: 80,
});

/** What robot.yaml says of the pendulum. */
export const pendulum = {
  name: 'pendulum',
  description: 'two links',
  model: 'model.xml',
  base: 'fixed',
  rates: { control_hz: 500, policy_hz: 50 },
  joints: [joint('shoulder', [-3, 3]), joint('elbow', [-2, 2])],
  chains: [
    {
      name: 'tip',
      kind: 'tool',
      links: [
        { joint: 'shoulder', offset_m: [0, 0, 0.5], axis: [0, 1, 0] },
        { joint: 'elbow', offset_m: [0, 0, 0.2], axis: [0, 1, 0] },
      ],
      tip_m: [0, 0, 0.1],
    },
  ],
  power_w: 50,
  workspace: { low_m: [-1, -1, 0], high_m: [1, 1, 1] },
  watchdog: { sensor_age_s: 0.05, sensor_lost_s: 0.25, command_age_s: 0.2 },
  stop: { pose_rad: [0, 0], seconds: 1, afterwards: 'hold', emergency: 'damp' },
  simulation: {
    position_noise_rad: 0,
    velocity_noise_rad_s: 0,
    gyro_noise_rad_s: 0,
    accel_noise_m_s2: 0,
    orientation_noise_rad: 0,
    sensor_latency_s: 0,
    command_latency_s: 0,
  },
};

/** Robots that tests write into a folder of their own, as a user would: a new one for each test of a file. */
export class RobotFolder {
  private path = '';

  static forEachTest(): RobotFolder {
    const folder = new RobotFolder();
    beforeEach(() => {
      folder.path = mkdtempSync(join(tmpdir(), 'reverie-sim-'));
    });
    afterEach(() => rmSync(folder.path, { recursive: true, force: true }));
    return folder;
  }

  write(name: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), content);
  }

  /** Writes robot.yaml and the model, and loads the robot. */
  robot(spec: object = pendulum, model = pendulumXml, modelName = 'model.xml'): Robot {
    this.write('robot.yaml', stringify(spec));
    this.write(modelName, model);
    return loadRobot(this.path);
  }
}
