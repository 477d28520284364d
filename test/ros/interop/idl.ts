import type { MessageDefinition, MessageDefinitionField } from '@foxglove/message-definition';
import { definitionsOf } from '../../../src/ros/definitions.js';
import { ddsType } from '../../../src/ros/transport/names.js';

const TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int8: 'int8',
  uint8: 'octet',
  int16: 'short',
  uint16: 'unsigned short',
  int32: 'long',
  uint32: 'unsigned long',
  int64: 'long long',
  uint64: 'unsigned long long',
  float32: 'float',
  float64: 'double',
  string: 'string',
  time: 'builtin_interfaces::msg::dds_::Time_',
  duration: 'builtin_interfaces::msg::dds_::Time_',
};

/** The IDL of message types and of all that they refer to, as ROS 2 names them in DDS. */
export function idlOf(types: readonly string[]): string {
  const done = new Map<string, string>();
  add('builtin_interfaces/Time', definitionsOf('builtin_interfaces/msg/Time'), done);
  for (const type of types) add(type.replace('/msg/', '/'), definitionsOf(type), done);
  return [...done.values()].join('\n');
}

function add(name: string, definitions: readonly MessageDefinition[], done: Map<string, string>): void {
  if (done.has(name)) return;
  const own = definitions.find((d) => d.name === name) ?? definitions[0];
  const fields = own.definitions.filter((field) => !field.isConstant);
  for (const field of fields) if (field.isComplex) add(field.type, definitions, done);
  const members = fields.map(member);
  if (fields.length === 0) members.push('octet structure_needs_at_least_one_member;');
  const [pkg, type] = name.split('/');
  done.set(
    name,
    `module ${pkg} { module msg { module dds_ { @final struct ${type}_ { ${members.join(' ')} }; }; }; };`,
  );
}

function member(field: MessageDefinitionField): string {
  const single = TYPES[field.type] ?? ddsType(field.type.replace('/', '/msg/'));
  if (!field.isArray) return `${single} ${field.name};`;
  return field.arrayLength === undefined
    ? `sequence<${single}> ${field.name};`
    : `${single} ${field.name}[${field.arrayLength}];`;
}
