import type { MessageDefinition, MessageDefinitionField } from '@foxglove/message-definition';
import { encode } from './codec.js';
import { definitionsOf } from './definitions.js';
import type { Time } from './types.js';

const HEADER_BYTES = 4;
const SIZES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

/**
 * A message whose strings and array lengths never change, for streams: it is encoded once from an
 * example, and from then on numbers are written where they lie in its bytes. Writing allocates
 * nothing. The same bytes are written again each time: copy them to keep them.
 */
export class FixedMessage {
  /** The message as it goes out, header included. */
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly fields = new Map<string, { at: number; type: string; count: number }>();
  private readonly definitions: readonly MessageDefinition[];

  /** @param example gives strings and array lengths, and all numbers that nobody writes later */
  constructor(
    readonly type: string,
    example: object,
  ) {
    const encoded = encode(type, example);
    // Payload, not header, starts at a multiple of 8, as the alignment of CDR counts: so its doubles can be views.
    const memory = new ArrayBuffer(HEADER_BYTES + encoded.length);
    this.bytes = new Uint8Array(memory, HEADER_BYTES);
    this.bytes.set(encoded);
    this.view = new DataView(memory, 2 * HEADER_BYTES);
    this.definitions = definitionsOf(type);
    const end = this.walk(this.definitions[0].definitions, 0, '');
    if (end + HEADER_BYTES !== encoded.length)
      throw new Error(`${type}: ${encoded.length} bytes were encoded and ${end + HEADER_BYTES} found`);
  }

  /**
   * Doubles as they lie in the message, to be written at any time.
   * @param path names of fields and indices with dots between: `transforms.0.transform.translation`.
   * One that ends in a message of doubles alone means all of them, in order
   * @throws Error where there is no such field, it is not of doubles, or something lies between them
   */
  float64(path: string): Float64Array {
    const inside = [...this.fields].filter(([name]) => name === path || name.startsWith(`${path}.`));
    const other = inside.find(([, field]) => field.type !== 'float64');
    if (inside.length === 0 || other)
      throw new Error(
        `${this.type} has no float64 "${path}"${other ? `: ${other[0]} is ${other[1].type}` : ''}`,
      );
    const count = inside.reduce((sum, [, field]) => sum + field.count, 0);
    const first = inside[0][1];
    const last = inside[inside.length - 1][1];
    if (last.at + 8 * last.count !== first.at + 8 * count)
      throw new Error(`${this.type}: "${path}" does not lie in one piece`);
    return new Float64Array(this.bytes.buffer, 2 * HEADER_BYTES + first.at, count);
  }

  /** @returns a function that writes the number at `path` @throws Error where there is no such single float32 */
  float32(path: string): (value: number) => void {
    const at = this.place(path, 'float32');
    return (value) => this.view.setFloat32(at, value, true);
  }

  /** @returns a function that writes the time at `path` @throws Error where there is no such time */
  time(path: string): (time: Time) => void {
    const at = this.place(path, 'time');
    return ({ sec, nanosec }) => {
      this.view.setInt32(at, sec, true);
      this.view.setUint32(at + 4, nanosec, true);
    };
  }

  private place(path: string, type: string): number {
    const field = this.fields.get(path);
    if (field?.type !== type || field.count !== 1) throw new Error(`${this.type} has no ${type} "${path}"`);
    return field.at;
  }

  /** Notes where each field lies. @returns where the next would begin, from the start of the payload */
  private walk(fields: readonly MessageDefinitionField[], start: number, prefix: string): number {
    const own = fields.filter((field) => !field.isConstant);
    // ROS 2 puts one byte into a message without fields.
    if (own.length === 0) return start + 1;
    let at = start;
    for (const field of own) {
      const path = prefix + field.name;
      let count = 1;
      if (field.isArray) {
        count = field.arrayLength ?? this.view.getUint32(align(at, 4), true);
        if (field.arrayLength === undefined) at = align(at, 4) + 4;
      }
      const name = (i: number) => (field.isArray ? `${path}.${i}` : path);
      if (field.isComplex) {
        const inner = this.definitions.find((d) => d.name === field.type)!.definitions;
        for (let i = 0; i < count; i++) at = this.walk(inner, at, `${name(i)}.`);
      } else if (field.type === 'string') {
        for (let i = 0; i < count; i++) at = align(at, 4) + 4 + this.view.getUint32(align(at, 4), true);
      } else if (field.type === 'time' || field.type === 'duration') {
        for (let i = 0; i < count; i++) {
          this.fields.set(name(i), { at: align(at, 4), type: 'time', count: 1 });
          at = align(at, 4) + 8;
        }
      } else if (count > 0) {
        const size = SIZES[field.type];
        at = align(at, size);
        this.fields.set(path, { at, type: field.type, count });
        at += count * size;
      }
    }
    return at;
  }
}

function align(at: number, size: number): number {
  return Math.ceil(at / size) * size;
}
