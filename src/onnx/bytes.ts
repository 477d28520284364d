import { type GraphMessage, graphFromMessage, graphToMessage } from './message.js';
import type { OnnxModel } from './model.js';
import { ModelProto } from './schema.js';

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
