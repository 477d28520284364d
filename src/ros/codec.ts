import { MessageReader } from '@foxglove/rosmsg2-serialization';
import { definitionsOf } from './definitions.js';
import { MessageWriter } from './messageWriter.js';
import type { MessageTypes, TypeName } from './types.js';

/**
 * The one CDR codec: any message that ROS 2 defines, as little-endian XCDR1 with its 4-byte header,
 * the bytes that rcl makes. For messages at a high rate see `FixedMessage`.
 */

const writers = new Map<string, MessageWriter>();
const readers = new Map<string, MessageReader>();

/**
 * Fields that are left out are zero, empty or their default. Numbers of an array may lie in a typed array.
 * @throws Error where the type is unknown; naming the field where a value does not fit it
 */
export function encode<T extends TypeName>(type: T, message: MessageTypes[T]): Uint8Array;
export function encode(type: string, message: unknown): Uint8Array;
export function encode(type: string, message: unknown): Uint8Array {
  let writer = writers.get(type);
  if (!writer) {
    writer = new MessageWriter(definitionsOf(type));
    writers.set(type, writer);
  }
  return writer.write(message);
}

/**
 * Arrays of numbers come as typed arrays, which may share their memory with `bytes`.
 * @throws Error where the type is unknown; RangeError where the bytes end before the message does
 */
export function decode<T extends TypeName>(type: T, bytes: Uint8Array): MessageTypes[T];
export function decode(type: string, bytes: Uint8Array): unknown;
export function decode(type: string, bytes: Uint8Array): unknown {
  let reader = readers.get(type);
  if (!reader) {
    reader = new MessageReader(definitionsOf(type));
    readers.set(type, reader);
  }
  return reader.readMessage(bytes);
}
