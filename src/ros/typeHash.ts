import { createHash } from 'node:crypto';
import type { MessageDefinitionField } from '@foxglove/message-definition';
import { parse } from '@foxglove/rosmsg';
import { definitionText } from './definitions.js';

/**
 * Type hashes by REP-2016: SHA-256 of the type's description and of those it refers to, as JSON with
 * keys in a fixed order. Endpoints announce them since ROS 2 Iron.
 */

interface FieldType {
  type_id: number;
  capacity: number;
  string_capacity: number;
  nested_type_name: string;
}
interface Description {
  type_name: string;
  fields: { name: string; type: FieldType }[];
}

/** `type_description_interfaces/FieldType`. In `.msg` files `char` is another name of `uint8`. */
const TYPE_IDS: Readonly<Record<string, number>> = {
  int8: 2,
  uint8: 3,
  char: 3,
  int16: 4,
  uint16: 5,
  int32: 6,
  uint32: 7,
  int64: 8,
  uint64: 9,
  float32: 10,
  float64: 11,
  bool: 15,
  octet: 16,
  string: 17,
};
/** The parser takes `byte` for `uint8`, which the hash does not: fields of it get the name that it has in IDL. */
const BYTE_FIELD = /^byte\b(?![^\n]*=)/gm;
const NESTED = 1;
const BOUNDED_STRING = 21;
const ARRAY = 48;
const BOUNDED_SEQUENCE = 96;
const SEQUENCE = 144;

const hashes = new Map<string, string>();

/** @returns `RIHS01_…` @throws Error where nobody knows the type */
export function typeHash(type: string): string {
  let hash = hashes.get(type);
  if (!hash) {
    const referenced = new Map<string, Description>();
    const type_description = describe(type, referenced);
    referenced.delete(type);
    const byName = (a: Description, b: Description) => (a.type_name < b.type_name ? -1 : 1);
    const text = pythonJson({
      type_description,
      referenced_type_descriptions: [...referenced.values()].sort(byName),
    });
    hash = `RIHS01_${createHash('sha256').update(text).digest('hex')}`;
    hashes.set(type, hash);
  }
  return hash;
}

/** As endpoints of DDS announce it, in their user data. */
export const typeHashData = (type: string) => `typehash=${typeHash(type)};`;

function describe(type: string, known: Map<string, Description>): Description {
  const text = definitionText(type).replace(BYTE_FIELD, 'octet');
  const [root] = parse(text, { ros2: true, skipTypeFixup: true });
  const fields = root.definitions.filter((field) => !field.isConstant);
  const description: Description = { type_name: type, fields: [] };
  known.set(type, description);
  for (const field of fields) {
    const nested = TYPE_IDS[field.type] === undefined ? fullName(field.type, type) : '';
    if (nested && !known.has(nested)) describe(nested, known);
    description.fields.push({ name: field.name, type: fieldType(field, nested) });
  }
  if (fields.length === 0)
    description.fields.push({
      name: 'structure_needs_at_least_one_member',
      type: { type_id: TYPE_IDS.uint8, capacity: 0, string_capacity: 0, nested_type_name: '' },
    });
  return description;
}

function fieldType(field: MessageDefinitionField, nested_type_name: string): FieldType {
  const { isArray, arrayLength, arrayUpperBound, upperBound } = field;
  const single = upperBound !== undefined ? BOUNDED_STRING : (TYPE_IDS[field.type] ?? NESTED);
  const container = !isArray
    ? 0
    : arrayLength !== undefined
      ? ARRAY
      : arrayUpperBound !== undefined
        ? BOUNDED_SEQUENCE
        : SEQUENCE;
  return {
    type_id: single + container,
    capacity: arrayLength ?? arrayUpperBound ?? 0,
    string_capacity: upperBound ?? 0,
    nested_type_name,
  };
}

/** `Name`, `pkg/Name` or `time` in a file of `within` as `pkg/msg/Name`. */
function fullName(name: string, within: string): string {
  if (name === 'time' || name === 'duration')
    return `builtin_interfaces/msg/${name === 'time' ? 'Time' : 'Duration'}`;
  const parts = name.split('/');
  return `${parts.length > 1 ? parts[0] : within.split('/')[0]}/msg/${parts[parts.length - 1]}`;
}

/** As Python's `json.dumps` spaces it, which is what the hash was defined with. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}: ${pythonJson(inner)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}
