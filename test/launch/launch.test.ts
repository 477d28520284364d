import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/files.js';
import { driverFor } from '../../src/cli/drivers.js';
import { loadLaunch } from '../../src/launch/launch.js';
import { robotOf } from '../../src/launch/robotOf.js';
import { taskOf } from '../../src/launch/taskOf.js';
import { loadRobot } from '../../src/robot/load.js';

const minimal = 'robot: quadruped\ndriver: { kind: sim }\ntask: walk\n';

function written(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'reverie-launch-')), 'mine.yaml');
  writeFileSync(path, text);
  return path;
}

describe('loadLaunch', () => {
  // Launch files of ROS 2 lie beside ours.
  const ours = readdirSync(join(packageRoot, 'launch')).filter((name) => name.endsWith('.yaml'));
  it.each(ours)('reads %s, whose robot can do its task', (file) => {
    const launch = loadLaunch(file);
    expect(() => taskOf(launch, loadRobot(launch.robot).spec)).not.toThrow();
  });

  it('finds a shipped file by name, with or without its ending, and by the path that the clone has', () => {
    const { path } = loadLaunch('quadruped.sim');
    expect(loadLaunch('quadruped.sim.yaml').path).toBe(path);
    expect(loadLaunch('launch/quadruped.sim.yaml').path).toBe(path);
  });

  it('runs without a learner where none is named', () => {
    expect(loadLaunch(written(minimal))).toMatchObject({
      learner: { enabled: false, when_lost: 'keep' },
      policy: null,
      explore: 0,
      realtime: { fifo: true },
    });
  });

  it.each([
    ['a key that there is not', `${minimal}speed: 3\n`, /"speed"/],
    ['a limit that there is not', `${minimal}limits: { torque: 99 }\n`, /"torque"[\s\S]*limits/],
    ['a key inside', `${minimal}learner: { updates_per_stp: 8 }\n`, /"updates_per_stp"[\s\S]*learner/],
    ['a driver that there is not', minimal.replace('sim', 'magic'), /driver\.kind/],
    ['a missing task', minimal.replace('task: walk\n', ''), /task/],
    ['a value out of range', `${minimal}explore: 9\n`, /explore/],
    ['a name that would reach into other topics', `${minimal}site: a/b\n`, /site/],
    ['text that is no YAML', 'robot: [', /not valid YAML/],
  ])('refuses %s, naming file and place', (_, text, expected) => {
    const path = written(text);
    let message = '';
    try {
      loadLaunch(path);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      message = (error as Error).message;
    }
    expect(message).toContain(path);
    expect(message).toMatch(expected);
  });

  it('tightens limits, and cannot loosen them', () => {
    const tight = loadLaunch(written(`${minimal}limits: { joints: { FR_hip: { torque_nm: 20 } } }\n`));
    expect(robotOf(tight).spec.joints[1].torque_nm).toBe(20);
    const loose = loadLaunch(written(`${minimal}limits: { joints: { FR_hip: { torque_nm: 99 } } }\n`));
    expect(() => robotOf(loose)).toThrow(
      /mine\.yaml: limits[\s\S]*FR_hip\.torque_nm: 99 is looser than the 33\.5/,
    );
  });

  it('says where it looked for a file that is not there', () => {
    expect(() => loadLaunch('nowhere.yaml')).toThrow(
      /no launch "nowhere.yaml"; looked for[\s\S]*launch\/nowhere.yaml/,
    );
  });
});

describe('parameters of the task', () => {
  it.each([
    ['targets: { from_m: [0, 0, 0], to_m: [0.1, 0.1] }', /to_m/],
    ['targets: { from_m: [0.2, 0, 0], to_m: [0.1, 0.1, 0.1] }', /from_m below to_m/],
    ['targets: { from_m: [5, 5, 5], to_m: [6, 6, 6] }', /reaches no place from \[5, 5, 5\]/],
    ['speed: 3', /"speed"/],
  ])('%s is refused, naming the file', (parameters, expected) => {
    const path = written(`robot: arm\ndriver: { kind: sim }\ntask: reach\nparameters: { ${parameters} }\n`);
    const make = () => taskOf(loadLaunch(path), loadRobot('arm').spec);
    expect(make).toThrow(UserError);
    expect(make).toThrow(expected);
    expect(make).toThrow(path);
  });

  it('are refused where the task has none', () => {
    const path = written(`${minimal.replace('walk', 'rise')}parameters: { speed: 3 }\n`);
    expect(() => taskOf(loadLaunch(path), loadRobot('quadruped').spec)).toThrow('"speed"');
  });
});

it('refuses a robot on a fixed base that is to be found lying', () => {
  const path = written('robot: arm\ndriver: { kind: sim, start: lying }\ntask: reach\n');
  const make = () => driverFor(loadLaunch(path), loadRobot('arm'));
  expect(make).toThrow(UserError);
  expect(make).toThrow(/driver\.start: arm has a fixed base/);
});
