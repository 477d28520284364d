import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ofCount_rad } from '../../drivers/bus/encoder.js';
import { packageRoot } from '../../src/base/files.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { loadRobot } from '../../src/robot/load.js';
import { lastJson, reverie } from '../cli/support.js';

let folder: string;
const calibration = () =>
  Object.fromEntries(
    loadRobot('arm').spec.joints.map(({ name }, i) => [
      name,
      { id: i + 1, drive_mode: i % 2, homing_offset: -100 * i, range_min: 800 + 10 * i, range_max: 3300 },
    ]),
  );
const write = (value: unknown) => writeFileSync(join(folder, 'lerobot.json'), JSON.stringify(value));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calibrate-'));
  cpSync(join(packageRoot, 'robots/arm'), join(folder, 'arm'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('reverie calibrate --import', () => {
  it('maps the middle of each range to the middle of the joint, and keeps the file as it was', async () => {
    write(calibration());
    const before = readFileSync(join(folder, 'arm/robot.yaml'), 'utf8');
    const outcome = await reverie([
      'calibrate',
      join(folder, 'arm'),
      '--import',
      join(folder, 'lerobot.json'),
      '--json',
    ]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(readFileSync(lastJson(outcome).backup as string, 'utf8')).toBe(before);
    const { spec } = loadRobot(join(folder, 'arm'));
    spec.joints.forEach(({ name, position_rad: [low, high] }, i) => {
      const drive = (spec.bus![0] as BusOf<'feetech'>).joints[name];
      expect(drive.sign).toBe(i % 2 ? -1 : 1);
      expect(ofCount_rad((800 + 10 * i + 3300) / 2, drive)).toBeCloseTo((low + high) / 2, 4);
    });
    // Comments are the reader's, and stay.
    expect(readFileSync(join(folder, 'arm/robot.yaml'), 'utf8')).toContain(
      '# A stop lowers the arm onto its rest',
    );
  });

  it('refuses a file that lacks a joint, and writes nothing', async () => {
    const { gripper: _, ...rest } = calibration();
    write(rest);
    const before = readFileSync(join(folder, 'arm/robot.yaml'), 'utf8');
    const outcome = await reverie([
      'calibrate',
      join(folder, 'arm'),
      '--import',
      join(folder, 'lerobot.json'),
    ]);
    expect(outcome).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/lerobot.json: no motor "gripper"/),
    });
    expect(readFileSync(join(folder, 'arm/robot.yaml'), 'utf8')).toBe(before);
  });
});
