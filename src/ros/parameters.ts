import { UserError } from '../base/errors.js';
import { isFor, namesOneNode, type ParameterRule } from './rosArguments.js';
import { type Qos, qosProfiles } from './transport/qos.js';
import type { ParameterEvent, ParameterMessage, ParameterValue, Time } from './types.js';

type Value = boolean | number | string;

/** A parameter as others see it. What is said of a range or of choices is enforced. */
export interface Parameter {
  readonly description: string;
  readonly type: 'bool' | 'integer' | 'double' | 'string';
  readonly value: Value;
  readonly range?: readonly [from: number, to: number];
  readonly readOnly?: true;
  /** What sets it as the node starts, where rules of ROS 2 do not. */
  readonly atStart?: string;
  /** Called before the value is taken over; throws where it is refused. */
  readonly onSet?: (value: Value) => void | Promise<void>;
}
export type Parameters = Readonly<Record<string, Parameter>>;

/** `rcl_interfaces/ParameterType` */
const TYPES = { bool: 1, integer: 2, double: 3, string: 4 } as const;
const FIELDS = {
  bool: 'bool_value',
  integer: 'integer_value',
  double: 'double_value',
  string: 'string_value',
} as const;

interface SetRequest {
  parameters: ParameterMessage[];
}
interface Named {
  names: string[];
}

/** What parameters need of the node that they belong to: `RosNode` is one. */
interface ParameterHost {
  readonly fullName: string;
  now(): Time;
  publisher(topic: string, type: string, qos: Qos): (message: unknown) => void;
  serve<Request, Response>(
    service: string,
    type: string,
    answer: (request: Request) => Response | Promise<Response>,
  ): unknown;
}

/**
 * The parameters of one node, the services with which others list, read, describe and set them, and what
 * is said to all of every change.
 */
export class ParameterServer {
  private readonly values = new Map<string, Value>();
  private readonly events: (message: ParameterEvent) => void;

  constructor(
    private readonly node: ParameterHost,
    private readonly declared: Parameters,
    rules: readonly ParameterRule[] = [],
  ) {
    for (const [name, { value }] of Object.entries(declared)) this.values.set(name, value);
    for (const rule of rules) if (isFor(rule, node.fullName)) this.begin(rule, node.fullName);
    const known = (names: string[]) => names.filter((name) => name in declared);
    node.serve(
      '~/list_parameters',
      'rcl_interfaces/srv/ListParameters',
      ({ prefixes }: { prefixes: string[] }) => ({
        result: {
          names: Object.keys(declared).filter(
            (name) => prefixes.length === 0 || prefixes.some((p) => name === p || name.startsWith(`${p}.`)),
          ),
          prefixes: [],
        },
      }),
    );
    node.serve('~/get_parameters', 'rcl_interfaces/srv/GetParameters', ({ names }: Named) => ({
      values: known(names).map((name) => this.wire(name)),
    }));
    node.serve('~/get_parameter_types', 'rcl_interfaces/srv/GetParameterTypes', ({ names }: Named) => ({
      types: names.map((name) => (name in declared ? TYPES[declared[name].type] : 0)),
    }));
    node.serve('~/describe_parameters', 'rcl_interfaces/srv/DescribeParameters', ({ names }: Named) => ({
      descriptors: known(names).map((name) => descriptor(name, declared[name])),
    }));
    node.serve('~/set_parameters', 'rcl_interfaces/srv/SetParameters', async ({ parameters }: SetRequest) => {
      const results: { successful: boolean; reason: string }[] = [];
      for (const { name, value } of parameters) {
        results.push(await this.trySet(name, value));
        if (results.at(-1)!.successful) this.announce({ changed_parameters: this.messages([name]) });
      }
      return { results };
    });
    node.serve(
      '~/set_parameters_atomically',
      'rcl_interfaces/srv/SetParametersAtomically',
      async ({ parameters }: SetRequest) => {
        // All are looked at before the first is set.
        for (const { name, value } of parameters) {
          const reason = this.refusal(name, value);
          if (reason) return { result: { successful: false, reason } };
        }
        const set: string[] = [];
        let result = { successful: true, reason: '' };
        for (const { name, value } of parameters) {
          result = await this.trySet(name, value);
          if (!result.successful) break;
          set.push(name);
        }
        if (set.length > 0) this.announce({ changed_parameters: this.messages(set) });
        return { result };
      },
    );
    this.events = node.publisher(
      '/parameter_events',
      'rcl_interfaces/msg/ParameterEvent',
      qosProfiles.parameterEvents,
    );
    this.announce({ new_parameters: this.messages(Object.keys(declared)) });
  }

  get(name: string): Value {
    return this.values.get(name)!;
  }

  /** Takes over what a parameter has become by other ways than by being set, and says so to all. */
  note(name: string, value: Value): void {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    this.announce({ changed_parameters: this.messages([name]) });
  }

  private async trySet(name: string, wire: ParameterValue): Promise<{ successful: boolean; reason: string }> {
    const reason = this.refusal(name, wire);
    if (reason) return { successful: false, reason };
    const { type, onSet } = this.declared[name];
    const value = valueIn(type, wire);
    try {
      await onSet?.(value);
    } catch (error) {
      return { successful: false, reason: (error as Error).message };
    }
    this.values.set(name, value);
    return { successful: true, reason: '' };
  }

  /** Why a value may not be taken over, as far as the declaration says. */
  private refusal(name: string, wire: ParameterValue): string | undefined {
    const parameter = this.declared[name];
    if (!parameter) return `no parameter "${name}"; there are ${Object.keys(this.declared).join(', ')}`;
    if (parameter.readOnly) return `${name} is set when the node starts`;
    if (wire.type !== TYPES[parameter.type]) return `${name}: expected a ${parameter.type}`;
    return outOfRange(name, parameter, valueIn(parameter.type, wire));
  }

  /** Sets a parameter as its node starts. @throws UserError where it may not be so */
  private begin(rule: ParameterRule, node: string): void {
    const { name, value, from } = rule;
    const parameter = this.declared[name];
    if (!parameter) {
      // A rule for every node means those that have the parameter.
      if (namesOneNode(rule))
        throw new UserError(
          `${from}: ${node} has no parameter "${name}"; there are ${Object.keys(this.declared).join(', ')}`,
        );
      return;
    }
    const reason =
      (parameter.atStart && `${name} is ${parameter.atStart}`) ??
      (fits(parameter.type, value)
        ? outOfRange(name, parameter, value)
        : `${name}: expected a ${parameter.type}, not ${JSON.stringify(value)}`);
    if (reason) throw new UserError(`${from}: ${node}: ${reason}`);
    this.values.set(name, value as Value);
  }

  private announce(what: Partial<ParameterEvent>): void {
    const { node } = this;
    const none = { new_parameters: [], changed_parameters: [], deleted_parameters: [] };
    this.events({ stamp: node.now(), node: node.fullName, ...none, ...what });
  }

  private messages(names: readonly string[]): ParameterMessage[] {
    return names.map((name) => ({ name, value: this.wire(name) }));
  }

  private wire(name: string): ParameterValue {
    const { type } = this.declared[name];
    const value = this.values.get(name)!;
    const none = { bool_value: false, integer_value: 0n, double_value: 0, string_value: '' };
    return { type: TYPES[type], ...none, [FIELDS[type]]: type === 'integer' ? BigInt(value) : value };
  }
}

function valueIn(type: Parameter['type'], wire: ParameterValue): Value {
  const given = wire[FIELDS[type]];
  return typeof given === 'bigint' ? Number(given) : given;
}

function fits(type: Parameter['type'], value: unknown): value is Value {
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'string') return typeof value === 'string';
  return typeof value === 'number' && (type === 'double' || Number.isInteger(value));
}

function outOfRange(name: string, { range }: Parameter, value: Value): string | undefined {
  if (!range) return undefined;
  const [from, to] = range;
  const within = Number(value) >= from && Number(value) <= to;
  return within ? undefined : `${name}: ${value} is not within ${from} and ${to}`;
}

function descriptor(name: string, { description, type, range, readOnly }: Parameter): object {
  const [from_value, to_value] = range ?? [0, 0];
  const ranges = range ? [{ from_value, to_value, step: 0 }] : [];
  return {
    name,
    type: TYPES[type],
    description,
    read_only: readOnly === true,
    floating_point_range: type === 'double' ? ranges : [],
    integer_range: type === 'integer' ? ranges : [],
  };
}
