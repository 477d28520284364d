import { CdrWriter } from '@foxglove/cdr';
import type { MessageDefinition, MessageDefinitionField } from '@foxglove/message-definition';

type Fields = readonly MessageDefinitionField[];

/**
 * Writes messages of one type. `@foxglove/rosmsg2-serialization` has a writer too, which cuts every
 * string that is not ASCII: it counts characters where CDR counts the bytes of UTF-8. So the walk over
 * the fields is ours, and the alignment of their numbers is `@foxglove/cdr`'s.
 */
export class MessageWriter {
  private readonly types: ReadonlyMap<string, Fields>;
  private readonly root: Fields;

  /** @param definitions the type itself first, then those that it refers to */
  constructor(definitions: readonly MessageDefinition[]) {
    const ownFields = ({ definitions: fields }: MessageDefinition) => fields.filter((f) => !f.isConstant);
    this.root = ownFields(definitions[0]);
    this.types = new Map(definitions.map((d) => [d.name ?? '', ownFields(d)]));
  }

  /** @throws Error naming the field whose value does not fit its type */
  write(message: unknown): Uint8Array {
    const writer = new CdrWriter();
    this.writeFields(writer, this.root, message, '');
    return writer.data;
  }

  private writeFields(writer: CdrWriter, fields: Fields, message: unknown, prefix: string): void {
    // ROS 2 puts one byte into a message without fields.
    if (fields.length === 0) writer.uint8(0);
    const values = (message ?? {}) as Record<string, unknown>;
    for (const field of fields) {
      const path = prefix + field.name;
      const value = values[field.name] ?? field.defaultValue;
      if (field.isArray) this.writeArray(writer, field, value, path);
      else this.writeOne(writer, field, value, path);
    }
  }

  private writeArray(writer: CdrWriter, field: MessageDefinitionField, value: unknown, path: string): void {
    const { arrayLength, arrayUpperBound = Number.POSITIVE_INFINITY } = field;
    const items = (value ?? Array.from({ length: arrayLength ?? 0 })) as unknown[];
    if (!Array.isArray(items) && !ArrayBuffer.isView(items)) throw new Error(`${path}: expected an array`);
    if (arrayLength !== undefined && items.length !== arrayLength)
      throw new Error(`${path}: ${items.length} values where there are always ${arrayLength}`);
    if (items.length > arrayUpperBound)
      throw new Error(`${path}: ${items.length} values where ${arrayUpperBound} is the most`);
    if (arrayLength === undefined) writer.sequenceLength(items.length);
    if (items instanceof Float64Array && field.type === 'float64') writer.float64Array(items);
    else if (items instanceof Uint8Array && field.type === 'uint8') writer.uint8Array(items);
    else for (let i = 0; i < items.length; i++) this.writeOne(writer, field, items[i], `${path}.${i}`);
  }

  private writeOne(writer: CdrWriter, field: MessageDefinitionField, value: unknown, path: string): void {
    if (field.isComplex) {
      this.writeFields(writer, this.types.get(field.type)!, value, `${path}.`);
      return;
    }
    switch (field.type) {
      case 'string':
        writeString(writer, (value ?? '') as string, path);
        break;
      case 'time':
      case 'duration': {
        const { sec = 0, nanosec = 0 } = (value ?? {}) as { sec?: number; nanosec?: number };
        writer.int32(sec);
        writer.uint32(nanosec);
        break;
      }
      case 'bool':
        writer.uint8(value ? 1 : 0);
        break;
      case 'int64':
      case 'uint64':
        writer[field.type](BigInt((value ?? 0) as number | bigint));
        break;
      default:
        writeNumber(writer, field.type, value ?? 0, path);
    }
  }
}

const numeric = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'] as const;

function writeNumber(writer: CdrWriter, type: string, value: unknown, path: string): void {
  const known = numeric.find((name) => name === type);
  if (!known) throw new Error(`${path}: fields of type ${type} are not supported`);
  if (typeof value !== 'number') throw new Error(`${path}: expected a number, not ${JSON.stringify(value)}`);
  writer[known](value);
}

function writeString(writer: CdrWriter, value: unknown, path: string): void {
  if (typeof value !== 'string') throw new Error(`${path}: expected text, not ${JSON.stringify(value)}`);
  const bytes = Buffer.from(value, 'utf8');
  writer.uint32(bytes.length + 1);
  writer.uint8Array(bytes);
  writer.uint8(0);
}
