import { UserError } from '../base/errors.js';
import { decodeModel, type OnnxModel, type OnnxNode, type OnnxTensor } from '../onnx/model.js';
import { type NodeContext, operators, type Step } from './operators.js';

/** Older ones give Split, Slice and Clip their arguments as attributes. */
const OLDEST_OPSET = 13;

/**
 * A feed-forward ONNX graph at batch 1, run synchronously in plain TypeScript. ONNX Runtime answers
 * with a promise, which a thread that sleeps in `Atomics.wait` between control ticks never sees.
 */
export class Network {
  /** Write the input here, then `run`. */
  readonly input: Float32Array;
  /** By name; the same arrays after every run. */
  readonly outputs: ReadonlyMap<string, Float32Array>;
  private readonly steps: readonly Step[];

  /**
   * @param bytes of an .onnx file with one input [batch, n]
   * @param where the file, named in errors
   * @throws UserError where the file is damaged, an operator is not supported or sizes do not fit
   */
  constructor(bytes: Uint8Array, where: string) {
    let model: OnnxModel;
    try {
      model = decodeModel(bytes);
    } catch (error) {
      throw new UserError(`${where}: ${(error as Error).message}`);
    }
    const { graph, opsets } = model;
    const opset = opsets[''] ?? opsets['ai.onnx'] ?? 0;
    if (opset < OLDEST_OPSET)
      throw new UserError(`${where}: uses ONNX operator set ${opset}, expected ${OLDEST_OPSET} or newer`);
    const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
    const vectors = new Map<string, Float32Array>();
    // Old writers list constants among the inputs too.
    const inputs = graph.inputs.filter(({ name }) => !constants.has(name));
    const size = inputs[0]?.shape[1];
    if (inputs.length !== 1 || inputs[0].shape.length !== 2 || typeof size !== 'number') {
      const found = inputs.map((i) => `${i.name} [${i.shape.join(', ')}]`).join(', ') || 'none';
      throw new UserError(`${where}: expected one input of shape [batch, n], found ${found}`);
    }
    this.input = new Float32Array(size);
    vectors.set(inputs[0].name, this.input);

    const steps: Step[] = [];
    for (const node of graph.nodes) {
      if (node.opType === 'Constant') {
        constants.set(node.outputs[0], constantOf(node, where));
        continue;
      }
      const build = node.domain === '' || node.domain === 'ai.onnx' ? operators[node.opType] : undefined;
      if (!build)
        throw new UserError(
          `${where}: node "${node.name}" is of type ${node.domain ? `${node.domain}.` : ''}${node.opType}, ` +
            `which the control loop cannot run; it runs ${Object.keys(operators).join(', ')}`,
        );
      const step = build(contextOf(node, constants, vectors, where));
      if (step) steps.push(step);
    }
    this.steps = steps;
    this.outputs = new Map(
      graph.outputs.map(({ name }) => {
        const vector = vectors.get(name);
        if (!vector) throw new UserError(`${where}: no node computes the output "${name}"`);
        return [name, vector];
      }),
    );
  }

  run(): void {
    for (let i = 0; i < this.steps.length; i++) this.steps[i]();
  }
}

function contextOf(
  node: OnnxNode,
  constants: ReadonlyMap<string, OnnxTensor>,
  vectors: Map<string, Float32Array>,
  where: string,
): NodeContext {
  const fail = (why: string) => new UserError(`${where}: node "${node.name}" (${node.opType}): ${why}`);
  const alias = (of: Float32Array, i = 0) => {
    vectors.set(node.outputs[i], of);
  };
  return {
    node,
    fail,
    alias,
    vector(i) {
      const vector = vectors.get(node.inputs[i]);
      if (!vector) throw fail(`expected a computed value as input ${i} ("${node.inputs[i] ?? ''}")`);
      return vector;
    },
    constant(i) {
      const name = node.inputs[i];
      if (name === undefined || name === '') return undefined;
      const tensor = constants.get(name);
      if (!tensor) throw fail(`expected a constant as input ${i} ("${name}")`);
      return tensor;
    },
    isConstant: (i) => constants.has(node.inputs[i]),
    output(size, i = 0) {
      const vector = new Float32Array(size);
      alias(vector, i);
      return vector;
    },
  };
}

function constantOf(node: OnnxNode, where: string): OnnxTensor {
  const { value } = node.attributes;
  if (value?.type === 'tensor') return value.value;
  throw new UserError(`${where}: node "${node.name}" (Constant) holds no tensor`);
}
