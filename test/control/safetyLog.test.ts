import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SafetyLog, verifySafetyLog } from '../../src/control/safetyLog.js';
import { loadRobot } from '../../src/robot/load.js';
import type { SafetyEvent } from '../../src/safety/events.js';

const { spec } = loadRobot('arm');
const event = (time_s: number): SafetyEvent => ({
  time_s,
  cause: 'joint_torque',
  joint: 1,
  value: 3.5,
  limit: 2.94,
  executed_rad: new Float64Array([0, 1, 2, 3, 4, 5]),
});

let folder: string;
let path: string;
const write = (...times: number[]) => {
  const log = new SafetyLog(path, spec);
  for (const t of times) log.write(event(t));
  log.close();
};
const lines = () => readFileSync(path, 'utf8').trimEnd().split('\n');
const change = (alter: (lines: string[]) => string[]) =>
  writeFileSync(path, `${alter(lines()).join('\n')}\n`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-log-'));
  path = join(folder, 'safety.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the log of safety events', () => {
  it('says when, why, how much and what was executed, and goes on where it ended', () => {
    write(1, 2);
    write(3);
    expect(JSON.parse(lines()[2])).toMatchObject({
      time_s: 3,
      cause: 'joint_torque',
      joint: 'shoulder_lift',
      value: 3.5,
      limit: 2.94,
      executed_rad: [0, 1, 2, 3, 4, 5],
    });
    expect(verifySafetyLog(path)).toEqual({ events: 3, hash: JSON.parse(lines()[2]).hash });
  });

  it.each<[string, (lines: string[]) => string[], number]>([
    ['a changed value', (l) => l.map((x, i) => (i === 1 ? x.replace('3.5', '2.5') : x)), 2],
    ['a line taken out', (l) => l.filter((_, i) => i !== 1), 2],
    ['a line put in', (l) => [l[0], l[0], ...l.slice(1)], 2],
    ['lines in another order', (l) => [l[1], l[0], l[2]], 1],
    ['nonsense', (l) => [...l, 'x'], 4],
  ])('shows %s, and refuses to go on', (_what, alter, line) => {
    write(1, 2, 3);
    change(alter);
    expect(() => verifySafetyLog(path)).toThrow(`safety.jsonl, line ${line}:`);
    expect(() => new SafetyLog(path, spec)).toThrow(`line ${line}:`);
  });

  it('shows a line that a crash cut short', () => {
    write(1);
    appendFileSync(path, '{"time_s":');
    expect(() => verifySafetyLog(path)).toThrow('line 2: not complete');
  });
});
