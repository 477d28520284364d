import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DOMParser, type Element, onErrorStopParsing } from '@xmldom/xmldom';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { loadLaunch } from '../../src/launch/launch.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadRobot } from '../../src/robot/load.js';
import { decode, encode } from '../../src/ros/codec.js';
import { transportNames } from '../../src/ros/transport/open.js';
import { typeHash } from '../../src/ros/typeHash.js';

/** What makes a colcon package of this folder: looked at as colcon and `ros2 launch` look at it. */
const read = (...path: string[]) => readFileSync(join(packageRoot, ...path), 'utf8');
const xml = (...path: string[]): Element =>
  new DOMParser({ onError: onErrorStopParsing }).parseFromString(read(...path), 'text/xml').documentElement!;
const all = (element: Element, tag: string) => Array.from(element.getElementsByTagName(tag));

const manifest: { name: string; version: string; license: string; files: string[]; bin: object } = JSON.parse(
  read('package.json'),
);
const launchFiles = readdirSync(join(packageRoot, 'launch')).filter((name) => name.endsWith('.launch.xml'));

describe.each(launchFiles)('launch/%s', (file) => {
  const root = xml('launch', file);
  const defaults = new Map(
    all(root, 'arg').map((arg) => [arg.getAttribute('name')!, arg.getAttribute('default')!]),
  );
  const words = all(root, 'node')[0]
    .getAttribute('args')!
    .replace(/\$\(var (\w+)\)/g, (_, name: string) => defaults.get(name)!)
    .split(/\s+/);

  it('takes the arguments that its help describes, and uses them all', () => {
    expect([...defaults.keys()]).toEqual(['namespace', 'robot', 'policy', 'use_sim_time', 'transport']);
    for (const arg of all(root, 'arg')) expect(arg.getAttribute('description')).toBeTruthy();
    const used = new Set([...read('launch', file).matchAll(/\$\(var (\w+)\)/g)].map(([, name]) => name));
    expect(used).toEqual(new Set(defaults.keys()));
  });

  it('starts what the package installs, with what Reverie brings', () => {
    const [node] = all(root, 'node');
    expect(node.getAttribute('pkg')).toBe(manifest.name);
    accessSync(join(packageRoot, 'ros', node.getAttribute('exec')!), constants.X_OK);
    expect(words[0]).toBe('run');
    const launch = loadLaunch(words[1]);
    expect(readBundle(words[words.indexOf('--policy') + 1]).manifest.robot).toBe(launch.robot);
    expect(transportNames).toContain(words[words.indexOf('--ros') + 1]);
    // A name for the process would be given to each of its nodes.
    expect(node.getAttribute('name')).toBeNull();
  });

  it('leaves the robot the time that its stop takes before it is asked again', () => {
    const { robot } = loadLaunch(words[1]);
    const { seconds, stand_s = 0 } = loadRobot(robot).spec.stop;
    const timeout = all(root, 'let').find((one) => one.getAttribute('name') === 'sigterm_timeout')!;
    expect(Number(timeout.getAttribute('value'))).toBeGreaterThan(seconds + stand_s + 2);
  });

  it('has no attribute that ROS 2 Humble does not know', () => {
    const known = ['pkg', 'exec', 'name', 'namespace', 'args', 'output'];
    for (const node of all(root, 'node'))
      for (const { name } of Array.from(node.attributes)) expect(known).toContain(name);
  });
});

describe('the message package', () => {
  const folder = 'ros/reverie_msgs';
  const cmake = read(folder, 'CMakeLists.txt');
  const files = readdirSync(join(packageRoot, folder, 'msg'));

  it('builds each of its files, under the version of the npm package', () => {
    expect([...cmake.matchAll(/"msg\/(\w+\.msg)"/g)].map(([, file]) => file)).toEqual(files.sort());
    expect(all(xml(folder, 'package.xml'), 'version')[0].textContent).toBe(manifest.version);
    expect(manifest.files).toContain('ros');
  });

  it('has no field whose name C++ keeps for itself', () => {
    const kept =
      /^(class|default|delete|enum|explicit|export|namespace|new|operator|private|protected|public|register|signed|static|switch|template|this|throw|typename|union|unsigned|using|virtual|volatile)$/;
    const names = files.flatMap((file) =>
      [...read(folder, 'msg', file).matchAll(/^[a-z]\S* (\w+)$/gim)].map(([, name]) => name),
    );
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => kept.test(name))).toEqual([]);
  });

  it('holds messages that go through the codec, with all that they refer to among its dependencies', () => {
    const depends = all(xml(folder, 'package.xml'), 'depend').map((d) => d.textContent);
    for (const file of files) {
      const type = `reverie_msgs/msg/${file.replace('.msg', '')}`;
      expect(typeHash(type)).toMatch(/^RIHS01_[0-9a-f]{64}$/);
      expect(encode(type, decode(type, encode(type, {})))).toEqual(encode(type, {}));
      for (const [, pkg] of read(folder, 'msg', file).matchAll(/^(\w+)\//gm)) {
        expect(depends).toContain(pkg);
        expect(cmake).toContain(`find_package(${pkg} REQUIRED)`);
      }
    }
  });
});

describe('the colcon package', () => {
  it('has the name and version of the npm package', () => {
    const root = xml('package.xml');
    const text = (tag: string) => all(root, tag)[0].textContent;
    expect([text('name'), text('version'), text('license')]).toEqual([
      manifest.name,
      manifest.version,
      manifest.license,
    ]);
    expect(text('build_type')).toBe('ament_cmake');
  });

  it('depends on every message package that the nodes speak', () => {
    const named = new Set(all(xml('package.xml'), 'depend').map((d) => d.textContent));
    const sources = readdirSync(join(packageRoot, 'src/ros'), { recursive: true, encoding: 'utf8' });
    const spoken = sources
      .filter((name) => /^(nodes\/\w+|node|lifecycle|parameters)\.ts$/.test(name))
      .flatMap((name) =>
        [...read('src/ros', name).matchAll(/'(\w+)\/(?:msg|srv)\/\w+'/g)].map(([, pkg]) => pkg),
      );
    expect(spoken.length).toBeGreaterThan(20);
    for (const pkg of new Set(spoken)) if (pkg !== 'reverie_msgs') expect(named).toContain(pkg);
  });

  it('installs files that are there', () => {
    const cmake = read('CMakeLists.txt');
    const [, program] = /install\(PROGRAMS (\S+) DESTINATION lib/.exec(cmake)!;
    expect(existsSync(join(packageRoot, program))).toBe(true);
    // Its program is where the npm package, which is installed as a whole, has it.
    const [, script] = /share\/reverie\/(\S+\.js)/.exec(read(program))!;
    expect(Object.values(manifest.bin)).toContain(script);
    expect(manifest.files).toContain('launch');
  });

  it('says in a line what rclnodejs would take where it cannot be installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'reverie-why-'));
    const program = join(packageRoot, 'ros/why-no-rclnodejs.mjs');
    const why = (env: NodeJS.ProcessEnv) => {
      const { status, stderr } = spawnSync(process.execPath, [program], { env, encoding: 'utf8' });
      expect(status).toBe(1);
      return stderr.trim();
    };
    const place = (path: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), '', { mode: 0o755 });
    };
    const sourced = { ROS_DISTRO: 'jazzy', PATH: join(folder, 'bin') };
    expect(why({ PATH: sourced.PATH })).toMatch(/have to be ROS_DISTRO/);
    expect(why(sourced)).toMatch(/have to be the program ros2 \(package ros2cli\)\. .*transport:=cyclone$/);
    for (const program of ['ros2', 'python3', 'make']) place(`bin/${program}`);
    expect(why(sourced)).toMatch(/have to be \S+\/include\/rcl \(package rcl\), g\+\+\./);
    place('include/rcl/rcl.h');
    place('bin/g++');
    expect(why(sourced)).toMatch(/npm says above why\. /);
    rmSync(folder, { recursive: true });
  });
});
