import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Document, parse } from 'yaml';
import { UserError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/files.js';
import { loadRobot } from '../../src/robot/load.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-robot-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The arm's robot.yaml with one value in it set to another, or taken out. */
function changed(place: readonly (string | number)[], value: unknown): string {
  const text = readFileSync(join(packageRoot, 'robots/arm/robot.yaml'), 'utf8');
  const robot = new Document(parse(text, { merge: true }));
  if (value === undefined) robot.deleteIn(place);
  else robot.setIn(place, value);
  const path = join(folder, 'robot.yaml');
  writeFileSync(path, robot.toString());
  return path;
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error('expected an error');
}

const camera = {
  ...{ kind: 'depth', width: 16, height: 16, fov_rad: 1 },
  ...{ position_m: [0.1, 0, 0.3], range_m: [0.1, 1] },
};

describe('loadRobot', () => {
  it('finds a robot by name, folder and file', () => {
    const byName = loadRobot('arm');
    expect(byName.spec.joints.map((j) => j.name)).toEqual([
      'shoulder_pan',
      'shoulder_lift',
      'elbow_flex',
      'wrist_flex',
      'wrist_roll',
      'gripper',
    ]);
    expect(loadRobot(join(packageRoot, 'robots/arm'))).toEqual(byName);
    expect(loadRobot(byName.path)).toEqual(byName);
  });

  it('says where it looked for a robot that is not there', () => {
    expect(messageOf(() => loadRobot('nobody'))).toMatch(
      /no robot "nobody"[\s\S]*robots\/nobody\/robot\.yaml/,
    );
  });

  it('names file and line of YAML that does not parse', () => {
    const path = join(folder, 'robot.yaml');
    writeFileSync(path, 'name: x\njoints: [1,\n');
    expect(messageOf(() => loadRobot(path))).toMatch(/robot\.yaml: not valid YAML: [\s\S]*line \d/);
  });

  const mistakes: [string, (string | number)[], unknown, RegExp][] = [
    ['an unknown key', ['wheels'], 4, /wheels/],
    ['a key that is missing', ['joints', 2, 'torque_nm'], undefined, /joints\[2\]\.torque_nm/],
    [
      'a limit of the wrong kind',
      ['joints', 0, 'velocity_rad_s'],
      'fast',
      /expected number[\s\S]*joints\[0\]\.velocity_rad_s/,
    ],
    ['a gain of zero', ['joints', 0, 'kp_nm_rad'], 0, /joints\[0\]\.kp_nm_rad/],
    [
      'a range the wrong way round',
      ['joints', 1, 'position_rad'],
      [1, -1],
      /low < high[\s\S]*joints\[1\]\.position_rad/,
    ],
    [
      'a home outside the range',
      ['joints', 3, 'home_rad'],
      2,
      /home lies outside[\s\S]*joints\[3\]\.home_rad/,
    ],
    [
      'a joint that is there twice',
      ['joints', 4, 'name'],
      'shoulder_pan',
      /joint "shoulder_pan" is there twice/,
    ],
    [
      'a chain through an unknown joint',
      ['chains', 0, 'links', 1, 'joint'],
      'knee',
      /no joint "knee"; joints are shoulder_pan/,
    ],
    [
      'a stop pose of the wrong length',
      ['stop', 'pose_rad'],
      [0, 0],
      /2 values for 6 joints[\s\S]*stop\.pose_rad/,
    ],
    [
      'rates that do not divide',
      ['rates', 'policy_hz'],
      30,
      /does not divide control_hz \(500\)[\s\S]*rates\.policy_hz/,
    ],
    [
      'a limit that a safety function needs',
      ['joints', 3, 'jerk_rad_s3'],
      undefined,
      /the low-pass on targets needs it[\s\S]*joints\[3\]\.jerk_rad_s3 \("wrist_flex"\)/,
    ],
    ['a tool without a workspace', ['workspace'], undefined, /the workspace limit needs it[\s\S]*workspace/],
    ['a floating base without an IMU', ['base'], 'floating', /a floating base needs an IMU/],
    [
      'a camera of a size that nobody can learn from',
      ['camera'],
      { ...camera, width: 20 },
      /expected one of 8\|16\|32\|64[\s\S]*camera\.width/,
    ],
    [
      'a depth camera without a range',
      ['camera'],
      { ...camera, range_m: undefined },
      /expected with kind depth[\s\S]*camera\.range_m/,
    ],
    [
      'a gray camera with a range',
      ['camera'],
      { ...camera, kind: 'gray' },
      /expected with kind depth, and with it alone[\s\S]*camera\.range_m/,
    ],
    [
      'a camera out of step with the control loop',
      ['camera'],
      { ...camera, rate_hz: 30 },
      /30 does not divide control_hz \(500\)[\s\S]*camera\.rate_hz/,
    ],
  ];

  it.each(mistakes)('names file and field of %s', (_what, place, value, expected) => {
    const path = changed(place, value);
    const message = messageOf(() => loadRobot(path));
    expect(message).toContain(path);
    expect(message).toMatch(expected);
  });
});
