import { parse } from 'yaml';
import { UserError } from '../base/errors.js';
import { readYaml } from '../base/files.js';
import { checkAbsolute } from './transport/names.js';

/** What ROS 2 gives a process on its command line, between `--ros-args` and `--` or the end. */
export interface RosArguments {
  readonly namespace?: string;
  /** From names to others; `node:name` for one node's. */
  readonly remap: Readonly<Record<string, string>>;
  readonly useSimTime?: boolean;
  readonly parameters: readonly ParameterRule[];
}

/** A parameter that is set from outside when its node starts. */
export interface ParameterRule {
  /** `hardware`, `/robot_1/hardware`, or with the wildcards `*` for one name and `**` for any. */
  readonly node: string;
  readonly name: string;
  readonly value: unknown;
  /** Where it was said, for errors. */
  readonly from: string;
}

const BEGIN = '--ros-args';
const END = '--';
/** Options of ROS 2 that change nothing here: with a value, and without. */
const IGNORED = ['--log-level', '--log-config-file', '--log-file-name', '--enclave', '-e'];
const IGNORED_FLAG = /^--(enable|disable)-(rosout|stdout|external-lib)-logs$/;
const EVERY_NODE = '/**';
const PATTERN = /^[\w*/]+$/;

/** The words that are not ROS 2's. */
export function withoutRosArguments(argv: readonly string[]): string[] {
  return split(argv).own;
}

/** @throws UserError naming the argument, or the file and what is wrong in it */
export function readRosArguments(argv: readonly string[]): RosArguments {
  const remap: Record<string, string> = {};
  const rules: ParameterRule[] = [];
  let namespace: string | undefined;
  const { ros } = split(argv);
  for (let i = 0; i < ros.length; i++) {
    const option = ros[i];
    if (IGNORED_FLAG.test(option)) continue;
    const value = ros[++i];
    if (value === undefined) throw new UserError(`${BEGIN}: nothing follows ${option}`);
    if (option === '-r' || option === '--remap') {
      const [from, to] = pair(option, value);
      if (from === '__ns') namespace = checkAbsolute(to, 'namespace');
      else if (/(^|:)__(node|name)$/.test(from))
        throw new UserError(`${BEGIN}: ${value}: this process has several nodes, which keep their names`);
      else remap[from] = to;
    } else if (option === '-p' || option === '--param') {
      const [from, text] = pair(option, value);
      const at = from.lastIndexOf(':');
      const node = at < 0 ? EVERY_NODE : from.slice(0, at);
      rules.push({ node, name: from.slice(at + 1), value: parse(text), from: `${BEGIN} ${option} ${value}` });
    } else if (option === '--params-file') rules.push(...rulesOf(value));
    else if (!IGNORED.includes(option)) throw new UserError(`${BEGIN}: no option "${option}"`);
  }
  for (const { node, from } of rules)
    if (!PATTERN.test(node)) throw new UserError(`${from}: "${node}" means no node`);
  // One clock for all nodes.
  const simTime = rules.findLast(({ name }) => name === 'use_sim_time');
  if (simTime && typeof simTime.value !== 'boolean')
    throw new UserError(`${simTime.from}: use_sim_time: expected true or false`);
  return {
    namespace,
    remap,
    useSimTime: simTime?.value as boolean | undefined,
    parameters: rules.filter(({ name }) => name !== 'use_sim_time'),
  };
}

/** Whether a rule's node is this one. @param fullName `/robot_1/hardware`, say */
export function isFor({ node }: ParameterRule, fullName: string): boolean {
  if (!node.startsWith('/') && !node.includes('*')) return fullName.endsWith(`/${node}`);
  const tokens = node.split('/').filter((token) => token !== '');
  const pattern = tokens.map((token) => (token === '**' ? '(/\\w+)*' : `/${token.replace('*', '\\w+')}`));
  return new RegExp(`^${pattern.join('')}$`).test(fullName);
}

/** Whether a rule names one node, which then has to know the parameter. */
export function namesOneNode({ node }: ParameterRule): boolean {
  return !node.includes('*');
}

function split(argv: readonly string[]): { own: string[]; ros: string[] } {
  const own: string[] = [];
  const ros: string[] = [];
  let into = own;
  for (const word of argv) {
    if (word === BEGIN) into = ros;
    else if (word === END && into === ros) into = own;
    else into.push(word);
  }
  return { own, ros };
}

function pair(option: string, value: string): [from: string, to: string] {
  const at = value.indexOf(':=');
  if (at < 1) throw new UserError(`${BEGIN}: ${option} ${value}: expected FROM:=TO`);
  return [value.slice(0, at), value.slice(at + 2)];
}

/** A file of parameters: nodes, in them `ros__parameters`, in it values, maybe nested. */
function rulesOf(path: string): ParameterRule[] {
  const nodes = readYaml(path);
  if (!isMap(nodes)) throw new UserError(`${path}: expected names of nodes`);
  return Object.entries(nodes).flatMap(([node, content]) => {
    const values = isMap(content) ? content.ros__parameters : undefined;
    if (!isMap(values))
      throw new UserError(`${path}: ${node}: expected ros__parameters with names and values`);
    return flat(values, '').map(([name, value]) => ({ node, name, value, from: path }));
  });
}

function flat(values: Record<string, unknown>, prefix: string): [name: string, value: unknown][] {
  return Object.entries(values).flatMap(([name, value]) =>
    isMap(value) ? flat(value, `${prefix}${name}.`) : [[prefix + name, value] as [string, unknown]],
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
