import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import type { EmulatedServo } from '../../drivers/feetech/emulatedServo.js';
import { Register } from '../../drivers/feetech/registers.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { packageRoot } from '../../src/base/files.js';
import { loadRobot } from '../../src/robot/load.js';

it('a robot process that is killed leaves no torque behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  const link = join(folder, 'arm');
  const arm = new EmulatedRobot(await loadMujoco(), loadRobot('arm'), 1, link);
  const launch = join(folder, 'arm.yaml');
  writeFileSync(
    launch,
    `robot: arm\ndriver: { kind: serial, ports: { servos: ${link}-servos } }\ntask: reach\nruns: ${folder}/runs\n`,
  );
  const all = (torque: number) =>
    arm.drives.every((servo) => (servo as EmulatedServo).memory[Register.torque] === torque);
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const robot = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), 'run', launch], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const gone = new Promise((resolve) => robot.once('exit', resolve));
  await until(() => all(1));
  robot.kill('SIGKILL');
  await gone;
  await until(() => all(0));
  expect(all(0)).toBe(true);
  await arm.close();
  rmSync(folder, { recursive: true });
});
