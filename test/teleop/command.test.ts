import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import type { EmulatedServo } from '../../drivers/feetech/emulatedServo.js';
import { FeetechLeader } from '../../drivers/feetech/leader.js';
import { Register } from '../../drivers/feetech/registers.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { packageRoot } from '../../src/base/files.js';
import { loadRobot } from '../../src/robot/load.js';
import { eventually } from '../control/support.js';
import { jsEvent, writeQuickArm } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'teleop-'));
const robotFolder = join(folder, 'quick-arm');
beforeAll(() => writeQuickArm(robotFolder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `reverie teleop` on a simulated arm, with its lines. */
function teleop(
  name: string,
  ...args: string[]
): { child: ChildProcess; err: string[]; code: Promise<number | null> } {
  const launch = join(folder, `${name}.yaml`);
  writeFileSync(launch, `robot: ${robotFolder}\ndriver: { kind: sim }\ntask: reach\nruns: ${folder}/runs\n`);
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'bin/reverie.js'), 'teleop', launch, '--no-dashboard', ...args],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const err: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => err.push(line));
  return { child, err, code: new Promise((resolve) => child.once('exit', resolve)) };
}

it('a leader arm is read joint by joint, and says nothing while it is unplugged', async () => {
  const robot = loadRobot('arm');
  const emulated = new EmulatedRobot(await loadMujoco(), robot, 1, join(folder, 'read'));
  const leader = await FeetechLeader.open(robot, emulated.ports[0].path);
  let samples = 0;
  let newest: Float64Array = new Float64Array(0);
  leader.onSample = (q_rad) => {
    samples++;
    newest = q_rad;
  };
  await eventually('samples', () => samples > 5);
  const off = () => robot.spec.joints.map((_, j) => Math.abs(newest[j] - emulated.position_rad(j)));
  // It sinks, since nothing holds it, and a sample is a moment old.
  await eventually('they are those of the arm', () => Math.max(...off()) < 0.02);
  emulated.ports[0].unplug();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = samples;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(samples).toBe(before);
  emulated.ports[0].plug();
  await eventually('it is found again', () => samples > before);
  await leader.close();
  await emulated.close();
});

describe('reverie teleop', () => {
  it('reads a gamepad from its device, event by event', async () => {
    const pipe = join(folder, 'js0');
    execFileSync('mkfifo', [pipe]);
    const run = teleop('gamepad', '--policy', 'arm-reach', '--device', 'gamepad', '--port', pipe);
    const pad = openSync(pipe, 'r+');
    const press = (button: number, value: 0 | 1) => writeSync(pad, jsEvent(1, button, value));
    await eventually('it runs', () => run.err.some((line) => /^reach (run|hold)/.test(line)), 40);
    press(7, 1);
    await eventually('taken over', () => run.err.some((line) => line.startsWith('taken over')));
    press(7, 0);
    press(7, 1);
    await eventually('given back', () => run.err.some((line) => line.startsWith('given back')));
    press(1, 1);
    await eventually('the stop', () => run.err.some((line) => line.includes('emergency_stop')));
    run.child.kill('SIGTERM');
    expect(await run.code).toBe(0);
  });

  it('follows a leader arm on its own bus, whose servos a hand can move', async () => {
    const link = join(folder, 'leader');
    const leader = new EmulatedRobot(await loadMujoco(), loadRobot('arm'), 1, link);
    const run = teleop('leader', '--no-policy', '--device', 'leader', '--port', `${link}-servos`);
    await eventually('taken over', () => run.err.some((line) => line.startsWith('taken over')), 40);
    expect(leader.drives.every((servo) => (servo as EmulatedServo).memory[Register.torque] === 0)).toBe(true);
    run.child.kill('SIGTERM');
    expect(await run.code).toBe(0);
    await leader.close();
  });

  it.concurrent.each([
    ['a keyboard that is none', ['--device', 'keyboard'], /needs a terminal/],
    [
      'a gamepad that is not there',
      ['--device', 'gamepad', '--port', '/nowhere/js0'],
      /\/nowhere\/js0: cannot be opened/,
    ],
    ['a leader without a port', ['--device', 'leader'], /needs --port/],
    ['no device', [], /--device/],
  ])('refuses %s with one message and 2', async (what, args, expected) => {
    const run = teleop(what.replaceAll(' ', '-'), '--no-policy', ...args);
    expect(await run.code).toBe(2);
    expect(run.err.join('\n')).toMatch(expected);
    expect(run.err.join('\n')).not.toMatch(/^\s+at /m);
  });
});
