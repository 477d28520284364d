import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RosNode } from '../../src/ros/node.js';
import type { Parameters } from '../../src/ros/parameters.js';
import { isFor, readRosArguments, withoutRosArguments } from '../../src/ros/rosArguments.js';
import { openTransport } from '../../src/ros/transport/open.js';
import type { Transport } from '../../src/ros/transport/transport.js';

let folder: string;
let transport: Transport;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reverie-ros-arguments-'));
  transport = await openTransport('inproc');
});
afterAll(async () => {
  await transport.close();
  rmSync(folder, { recursive: true, force: true });
});

const parameters: Parameters = {
  rate_hz: { description: 'of streams', type: 'double', value: 200, range: [1, 1000] },
};

function nodeWith(...ros: string[]): RosNode {
  const { namespace = '/', remap, useSimTime, parameters: rules } = readRosArguments(['--ros-args', ...ros]);
  const options = { transport, namespace, remap, useSimTime, parameterRules: rules, onNotice: () => {} };
  return new RosNode('hardware', options, parameters);
}

describe('arguments of ROS 2', () => {
  it('stand apart from the words of the command', () => {
    const argv = ['run', 'arm.sim', '--ros-args', '-r', 'a:=b', '--', '--seconds', '3', '--ros-args'];
    expect(withoutRosArguments(argv)).toEqual(['run', 'arm.sim', '--seconds', '3']);
    expect(readRosArguments(argv).remap).toEqual({ a: 'b' });
  });

  it('give namespace and names, for all nodes or for one', () => {
    const ours = ['-r', 'hardware:cmd_vel:=twist', '-r', 'safety:joint_states:=/x', '-r', '/tf:=tf'];
    const node = nodeWith('-r', '__ns:=/robot_1', ...ours, '--log-level', 'info', '--disable-rosout-logs');
    expect(node.fullName).toBe('/robot_1/hardware');
    expect(node.resolve('cmd_vel')).toBe('/robot_1/twist');
    expect(node.resolve('joint_states')).toBe('/robot_1/joint_states');
    expect(node.resolve('/tf')).toBe('/robot_1/tf');
    node.close();
  });

  it('set parameters as a launch file and a file of parameters write them', () => {
    const path = join(folder, 'params.yaml');
    writeFileSync(path, '/**:\n  ros__parameters: {use_sim_time: true, rate_hz: 50, other: {deep: 1}}\n');
    const node = nodeWith('--params-file', path);
    expect(node.parameters.get('rate_hz')).toBe(50);
    expect(node.parameters.get('use_sim_time')).toBe(true);
    const later = nodeWith('--params-file', path, '-p', 'hardware:rate_hz:=20.5', '-p', 'policy:rate_hz:=1');
    expect(later.parameters.get('rate_hz')).toBe(20.5);
    node.close();
    later.close();
  });

  it('mean nodes by name, in full and by wildcards', () => {
    const means = (node: string) => isFor({ node, name: '', value: 0, from: '' }, '/lab/robot_1/hardware');
    for (const yes of [
      'hardware',
      '/lab/robot_1/hardware',
      '/**',
      '/**/hardware',
      '/lab/*/hardware',
      '/lab/**',
    ])
      expect([yes, means(yes)]).toEqual([yes, true]);
    for (const no of ['ware', '/hardware', '/*/hardware', '/lab/*', '/robot_1/hardware'])
      expect([no, means(no)]).toEqual([no, false]);
  });

  const mistakes: [string, string[], string][] = [
    ['a value out of range', ['-p', 'rate_hz:=5000'], 'rate_hz: 5000 is not within 1 and 1000'],
    ['a value of another type', ['-p', 'rate_hz:=fast'], 'rate_hz: expected a double, not "fast"'],
    [
      'a parameter that the node lacks',
      ['-p', 'hardware:rate:=1'],
      '/hardware has no parameter "rate"; there are use_sim_time, rate_hz',
    ],
    ['a rule without its arrow', ['-r', 'a=b'], '--ros-args: -r a=b: expected FROM:=TO'],
    ['another name for every node', ['-r', '__node:=x'], 'this process has several nodes'],
    ['a namespace that is none', ['-r', '__ns:=robot 1'], '"robot 1" is no namespace'],
    ['an unknown option', ['--fast', '1'], '--ros-args: no option "--fast"'],
    ['an option without its value', ['-p'], '--ros-args: nothing follows -p'],
    ['a node pattern that no node has', ['-p', 'hard ware:a:=1'], '"hard ware" means no node'],
    ['a file that is not there', ['--params-file', '/none.yaml'], '/none.yaml: cannot be read'],
    ['a clock that is neither', ['-p', 'use_sim_time:=maybe'], 'use_sim_time: expected true or false'],
  ];
  it.each(mistakes)('are refused with %s', (_, ros, message) => {
    expect(() => nodeWith(...ros)).toThrow(message);
  });
});
