import type { ElementArray, ElementType, OnnxTensor } from './model.js';
import { elementTypes } from './schema.js';

export { elementTypes };

export interface TensorMessage {
  name?: string;
  dataType?: number;
  dims?: number[];
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  doubleData?: number[];
  dataLocation?: number;
}

const arrays: Record<ElementType, { new (buffer: ArrayBuffer): ElementArray; BYTES_PER_ELEMENT: number }> = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float64: Float64Array,
};

export function elementTypeName(code: number | undefined, of: string): ElementType {
  const found = (Object.keys(elementTypes) as ElementType[]).find((name) => elementTypes[name] === code);
  if (!found) throw new Error(`ONNX tensor "${of}" has elements of type ${code}, which is not read here`);
  return found;
}

export function tensorToMessage({ name, type, dims, data }: OnnxTensor): TensorMessage {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: elementTypes[type], dims, rawData };
}

/** Tensors may come as raw bytes or, from some writers, as a list of numbers; either ends in one typed array. */
export function tensorFromMessage(message: TensorMessage): OnnxTensor {
  const name = message.name ?? '';
  const dims = message.dims ?? [];
  const type = elementTypeName(message.dataType, name);
  if (message.dataLocation)
    throw new Error(`ONNX tensor "${name}" lies in another file, which is not read here`);
  const count = dims.reduce((n, d) => n * d, 1);
  const data = message.rawData?.length ? fromRaw(type, message.rawData) : fromNumbers(type, message);
  if (data.length !== count) {
    throw new Error(
      `ONNX tensor "${name}" [${dims}] needs ${count} elements and has ${data.length}: the file is damaged`,
    );
  }
  return { name, type, dims, data };
}

function fromRaw(type: ElementType, raw: Uint8Array): ElementArray {
  const array = arrays[type];
  // Copied into a buffer of its own: the bytes in the file are not aligned.
  const whole = new Uint8Array(raw.subarray(0, raw.length - (raw.length % array.BYTES_PER_ELEMENT)));
  return new array(whole.buffer);
}

function fromNumbers(type: ElementType, message: TensorMessage): ElementArray {
  switch (type) {
    case 'float32':
      return Float32Array.from(message.floatData ?? []);
    case 'float64':
      return Float64Array.from(message.doubleData ?? []);
    case 'int64':
      return BigInt64Array.from((message.int64Data ?? []).map(BigInt));
    case 'int32':
      return Int32Array.from(message.int32Data ?? []);
    case 'int8':
      return Int8Array.from(message.int32Data ?? []);
    default:
      return Uint8Array.from(message.int32Data ?? []);
  }
}
