import { encodeModel } from '../../onnx/bytes.js';
import type { OnnxTensor } from '../../onnx/model.js';
import { reachable, type Tensor } from '../graph.js';
import { lower, opset } from './lower.js';

export interface ExportOptions {
  /** Name of the graph. */
  name: string;
  inputs: Record<string, Tensor>;
  outputs: Record<string, Tensor>;
  /** Values of parameters, baked in under their names. */
  parameters: Record<string, { tensor: Tensor; values: Float32Array }>;
  /** The first dimension of inputs and outputs, 1 in the graph, is written as a batch of any length. */
  dynamicBatch?: boolean;
  metadata?: Record<string, string>;
}

/** Writes a computation as a self-contained .onnx file, standard operators only. */
export function exportOnnx(options: ExportOptions): Uint8Array {
  const { name, inputs, outputs, parameters, dynamicBatch = false, metadata = {} } = options;
  const given = new Map<Tensor, string>();
  for (const [id, tensor] of Object.entries(inputs)) given.set(tensor, id);
  for (const [id, { tensor }] of Object.entries(parameters)) given.set(tensor, id);
  const wanted = Object.entries(outputs);
  const used = new Set(
    reachable(
      wanted.map(([, t]) => t),
      given,
    ),
  );
  for (const t of used) {
    if ((t.op.name === 'input' || t.op.name === 'state') && !given.has(t)) {
      throw new Error(
        `${t.op.name} "${t.op.id}" is needed, but is neither an input nor a parameter of the export`,
      );
    }
  }
  const baked: OnnxTensor[] = Object.entries(parameters)
    .filter(([, { tensor }]) => used.has(tensor))
    .map(([id, { tensor, values }]) => ({
      name: id,
      type: 'float32',
      dims: [...tensor.shape],
      data: values,
    }));
  const { nodes, initializers } = lower({ given, wanted, dynamicBatch: dynamicBatch ? 1 : undefined });
  const info = ([id, { shape }]: [string, Tensor]) => {
    if (dynamicBatch && shape[0] !== 1)
      throw new Error(`"${id}" must have a batch of 1 in the graph to be exported`);
    return {
      name: id,
      type: 'float32' as const,
      shape: dynamicBatch ? ['batch', ...shape.slice(1)] : [...shape],
    };
  };
  return encodeModel({
    irVersion: 8,
    producer: 'reverie',
    opsets: { '': opset },
    metadata,
    graph: {
      name,
      nodes,
      initializers: [...baked, ...initializers],
      inputs: Object.entries(inputs).map(info),
      outputs: wanted.map(info),
    },
  });
}
