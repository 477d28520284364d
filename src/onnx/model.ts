import { type GraphMessage, graphFromMessage, graphToMessage } from './message.js';
import { ModelProto } from './schema.js';

export type ElementType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool' | 'float64';

export type ElementArray = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array | Float64Array;

/** A constant tensor, row-major. Booleans lie in a Uint8Array, one byte each. */
export interface OnnxTensor {
  name: string;
  type: ElementType;
  dims: number[];
  data: ElementArray;
}

export type OnnxAttribute =
  | { type: 'float'; value: number }
  | { type: 'int'; value: number }
  | { type: 'string'; value: string }
  | { type: 'tensor'; value: OnnxTensor }
  | { type: 'graph'; value: OnnxGraph }
  | { type: 'floats'; value: number[] }
  | { type: 'ints'; value: number[] }
  | { type: 'strings'; value: string[] };

export interface OnnxNode {
  name: string;
  opType: string;
  /** '' is the standard operator set; 'com.microsoft' is ONNX Runtime's own. */
  domain: string;
  /** Names of values; '' stands for an optional input that is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Record<string, OnnxAttribute>;
}

/** An input or output: a number is a fixed dimension, a string a symbolic one ("batch"). */
export interface OnnxValueInfo {
  name: string;
  type: ElementType;
  shape: (number | string)[];
}

export interface OnnxGraph {
  name: string;
  /** In an order in which every value is produced before it is read. */
  nodes: OnnxNode[];
  initializers: OnnxTensor[];
  inputs: OnnxValueInfo[];
  outputs: OnnxValueInfo[];
}

export interface OnnxModel {
  irVersion: number;
  producer: string;
  /** Version of the operator set by domain; '' is the standard one. */
  opsets: Record<string, number>;
  metadata: Record<string, string>;
  graph: OnnxGraph;
}

interface ModelMessage {
  irVersion?: number;
  producerName?: string;
  graph?: GraphMessage;
  opsetImport: { domain?: string; version?: number }[];
  metadataProps: { key?: string; value?: string }[];
}

/** Writes a model as the bytes of an .onnx file. Constant tensors go in as raw little-endian data. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const message: ModelMessage = {
    irVersion: model.irVersion,
    producerName: model.producer,
    graph: graphToMessage(model.graph),
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({ domain, version })),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
  };
  return ModelProto.encode(ModelProto.fromObject(message)).finish();
}

/**
 * Reads the bytes of an .onnx file.
 * @throws Error when the bytes are cut short, are no ONNX model, or use a part of the format that Reverie does
 *   not read (external or string tensors, sparse tensors)
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  let message: ModelMessage;
  try {
    message = ModelProto.toObject(ModelProto.decode(bytes), { longs: Number, arrays: true }) as ModelMessage;
  } catch (error) {
    throw new Error(`not an ONNX model, or cut short: ${(error as Error).message}`);
  }
  if (!message.irVersion || !message.graph || message.opsetImport.length === 0) {
    throw new Error('not an ONNX model, or cut short: it states no format version, graph or operator set');
  }
  return {
    irVersion: message.irVersion,
    producer: message.producerName ?? '',
    opsets: Object.fromEntries(message.opsetImport.map((o) => [o.domain ?? '', o.version ?? 0])),
    metadata: Object.fromEntries(message.metadataProps.map((p) => [p.key ?? '', p.value ?? ''])),
    graph: graphFromMessage(message.graph),
  };
}
