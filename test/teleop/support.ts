import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadRobot } from '../../src/robot/load.js';

/**
 * Writes the arm as a robot of its own that rises and lies down quicker than one with gears worth sparing, with
 * watchdogs that a busy machine does not set off.
 */
export function writeQuickArm(folder: string): void {
  const { path, modelPath } = loadRobot('arm');
  const given = parse(readFileSync(path, 'utf8'), { merge: true });
  mkdirSync(folder, { recursive: true });
  const quick = {
    ...given,
    model: relative(folder, modelPath),
    stop: { ...given.stop, seconds: 0.5 },
    watchdog: { ...given.watchdog, sensor_age_s: 0.5, sensor_lost_s: 1, command_age_s: 1 },
  };
  writeFileSync(join(folder, 'robot.yaml'), stringify(quick));
}

/** `struct js_event`: time, value, type, number. */
export function jsEvent(type: number, number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(123_456, 0);
  bytes.writeInt16LE(value, 4);
  bytes.writeUInt8(type, 6);
  bytes.writeUInt8(number, 7);
  return bytes;
}
