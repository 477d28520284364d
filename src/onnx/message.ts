import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxValueInfo } from './model.js';
import { attributeTypes } from './schema.js';
import {
  elementTypeName,
  elementTypes,
  type TensorMessage,
  tensorFromMessage,
  tensorToMessage,
} from './tensor.js';

/** Between our plain interfaces and the shape of onnx.proto's messages. */

export interface GraphMessage {
  name?: string;
  node: NodeMessage[];
  initializer: TensorMessage[];
  input: ValueInfoMessage[];
  output: ValueInfoMessage[];
}

interface NodeMessage {
  name?: string;
  opType?: string;
  domain?: string;
  input: string[];
  output: string[];
  attribute: AttributeMessage[];
}

interface AttributeMessage {
  name?: string;
  type?: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorMessage;
  g?: GraphMessage;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
}

interface ValueInfoMessage {
  name?: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim: { dimValue?: number; dimParam?: string }[] } } };
}

const text = {
  encode: (s: string) => new TextEncoder().encode(s),
  decode: (b?: Uint8Array) => new TextDecoder().decode(b),
};

export function graphToMessage(graph: OnnxGraph): GraphMessage {
  return {
    name: graph.name,
    node: graph.nodes.map((node) => ({
      name: node.name,
      opType: node.opType,
      domain: node.domain,
      input: node.inputs,
      output: node.outputs,
      attribute: Object.entries(node.attributes).map(([name, a]) => attributeToMessage(name, a)),
    })),
    initializer: graph.initializers.map(tensorToMessage),
    input: graph.inputs.map(valueInfoToMessage),
    output: graph.outputs.map(valueInfoToMessage),
  };
}

export function graphFromMessage(message: GraphMessage): OnnxGraph {
  return {
    name: message.name ?? '',
    nodes: message.node.map(nodeFromMessage),
    initializers: message.initializer.map(tensorFromMessage),
    inputs: message.input.map(valueInfoFromMessage),
    outputs: message.output.map(valueInfoFromMessage),
  };
}

function nodeFromMessage(message: NodeMessage): OnnxNode {
  if (!message.opType)
    throw new Error(`ONNX node "${message.name ?? ''}" has no operator: the file is damaged`);
  return {
    name: message.name ?? '',
    opType: message.opType,
    domain: message.domain ?? '',
    inputs: message.input,
    outputs: message.output,
    attributes: Object.fromEntries(message.attribute.map((a) => [a.name ?? '', attributeFromMessage(a)])),
  };
}

function attributeToMessage(name: string, attribute: OnnxAttribute): AttributeMessage {
  const type = attributeTypes[attribute.type];
  switch (attribute.type) {
    case 'float':
      return { name, type, f: attribute.value };
    case 'int':
      return { name, type, i: attribute.value };
    case 'string':
      return { name, type, s: text.encode(attribute.value) };
    case 'tensor':
      return { name, type, t: tensorToMessage(attribute.value) };
    case 'graph':
      return { name, type, g: graphToMessage(attribute.value) };
    case 'floats':
      return { name, type, floats: attribute.value };
    case 'ints':
      return { name, type, ints: attribute.value };
    case 'strings':
      return { name, type, strings: attribute.value.map(text.encode) };
  }
}

function attributeFromMessage(message: AttributeMessage): OnnxAttribute {
  // A zero is not written, so an absent number is 0 and an absent list is empty.
  switch (message.type) {
    case attributeTypes.float:
      return { type: 'float', value: message.f ?? 0 };
    case attributeTypes.int:
      return { type: 'int', value: message.i ?? 0 };
    case attributeTypes.string:
      return { type: 'string', value: text.decode(message.s) };
    case attributeTypes.tensor:
      if (message.t) return { type: 'tensor', value: tensorFromMessage(message.t) };
      break;
    case attributeTypes.graph:
      if (message.g) return { type: 'graph', value: graphFromMessage(message.g) };
      break;
    case attributeTypes.floats:
      return { type: 'floats', value: message.floats ?? [] };
    case attributeTypes.ints:
      return { type: 'ints', value: message.ints ?? [] };
    case attributeTypes.strings:
      return { type: 'strings', value: (message.strings ?? []).map(text.decode) };
  }
  throw new Error(
    `ONNX attribute "${message.name ?? ''}" has no value of a type that is read here (${message.type})`,
  );
}

function valueInfoToMessage(info: OnnxValueInfo): ValueInfoMessage {
  const dim = info.shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name: info.name, type: { tensorType: { elemType: elementTypes[info.type], shape: { dim } } } };
}

function valueInfoFromMessage(message: ValueInfoMessage): OnnxValueInfo {
  const tensor = message.type?.tensorType;
  if (!message.name || !tensor) throw new Error(`ONNX value "${message.name ?? ''}" is not a tensor`);
  return {
    name: message.name,
    type: elementTypeName(tensor.elemType, message.name),
    shape: (tensor.shape?.dim ?? []).map((d, i) => d.dimValue ?? (d.dimParam || `d${i}`)),
  };
}
