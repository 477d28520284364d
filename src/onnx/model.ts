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
