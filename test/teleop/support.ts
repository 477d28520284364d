/** `struct js_event`: time, value, type, number. */
export function jsEvent(type: number, number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(123_456, 0);
  bytes.writeInt16LE(value, 4);
  bytes.writeUInt8(type, 6);
  bytes.writeUInt8(number, 7);
  return bytes;
}
