import { UserError } from '../base/errors.js';
import { decodeModel } from '../onnx/bytes.js';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from '../onnx/model.js';
import type { NodeContext } from './operator.js';
import { operators } from './operators.js';
import type { Step } from './products.js';
import { type ProductEngine, type Products, plainProducts } from './products.js';
import { sizeOf } from './shape.js';

/** Older ones give Split, Slice and Clip their arguments as attributes. */
const OLDEST_OPSET = 13;

/**
 * An ONNX graph at batch 1, run synchronously: products by the engine of choice, the rest in plain TypeScript. ONNX Runtime answers
 * with a promise, which a thread that sleeps in `Atomics.wait` between control ticks never sees.
 */
export class Network {
  /** Write the first input here, then `run`. */
  readonly input: Float32Array;
  /** All inputs by name: the observation, and what a recurrent network carries from step to step. */
  readonly inputs: ReadonlyMap<string, Float32Array>;
  /** By name; the same arrays after every run. */
  readonly outputs: ReadonlyMap<string, Float32Array>;
  private readonly steps: readonly Step[];
  private readonly constants: ReadonlyMap<string, OnnxTensor>;

  /**
   * @param bytes of an .onnx file whose inputs are [batch, n]
   * @param where the file, named in errors
   * @param engine what computes the products
   * @throws UserError where the file is damaged, an operator is not supported or sizes do not fit
   */
  constructor(bytes: Uint8Array, where: string, engine: ProductEngine = plainProducts) {
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
    const shapes = new Map<string, readonly number[]>();
    // Old writers list constants among the inputs too.
    const inputs = graph.inputs.filter(({ name }) => !constants.has(name));
    const listed = inputs.map((i) => `${i.name} [${i.shape.join(', ')}]`).join(', ') || 'none';
    if (inputs.length === 0)
      throw new UserError(`${where}: expected an input of shape [batch, n], found none`);
    for (const { name, shape } of inputs) {
      const size = shape[1];
      if (shape.length !== 2 || typeof size !== 'number')
        throw new UserError(`${where}: expected inputs of shape [batch, n], found ${listed}`);
      vectors.set(name, new Float32Array(size));
      shapes.set(name, [1, size]);
    }
    this.inputs = new Map(vectors);
    this.input = vectors.get(inputs[0].name)!;

    const products = engine.open();
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
      const step = build(contextOf(node, { graph, constants, vectors, shapes, products, where }));
      if (step) steps.push(step);
    }
    products.finish();
    this.steps = steps;
    this.constants = constants;
    this.outputs = new Map(
      graph.outputs.map(({ name }) => {
        const vector = vectors.get(name);
        if (!vector) throw new UserError(`${where}: no node computes the output "${name}"`);
        return [name, vector];
      }),
    );
  }

  /**
   * Replaces constants in place, those that the network has. Plain products read them where they are;
   * compiled kernels have packed theirs and go on with the old ones.
   */
  setConstants(values: Readonly<Record<string, Float32Array>>): void {
    for (const [name, given] of Object.entries(values))
      (this.constants.get(name)?.data as Float32Array | undefined)?.set(given);
  }

  run(): void {
    for (let i = 0; i < this.steps.length; i++) this.steps[i]();
  }
}

interface Surroundings {
  readonly graph: OnnxGraph;
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly vectors: Map<string, Float32Array>;
  readonly shapes: Map<string, readonly number[]>;
  readonly products: Products;
  readonly where: string;
}

function contextOf(node: OnnxNode, surroundings: Surroundings): NodeContext {
  const { graph, constants, vectors, shapes, products, where } = surroundings;
  const fail = (why: string) => new UserError(`${where}: node "${node.name}" (${node.opType}): ${why}`);
  const name = (i: number) => node.inputs[i] ?? '';
  const alias = (of: Float32Array, i = 0, shape: readonly number[] = [1, of.length]) => {
    vectors.set(node.outputs[i], of);
    shapes.set(node.outputs[i], shape);
  };
  const constant = (i: number) => {
    if (name(i) === '') return undefined;
    const tensor = constants.get(name(i));
    if (!tensor) throw fail(`expected a constant as input ${i} ("${name(i)}")`);
    return tensor;
  };
  return {
    node,
    fail,
    products,
    alias,
    constant,
    vector(i) {
      const vector = vectors.get(name(i));
      if (!vector) throw fail(`expected a computed value as input ${i} ("${name(i)}")`);
      return vector;
    },
    floats(i) {
      const data = constant(i)?.data;
      if (!(data instanceof Float32Array))
        throw fail(`expected float32 constants as input ${i} ("${name(i)}")`);
      return data;
    },
    integers(i) {
      const tensor = constant(i);
      if (!tensor) throw fail(`input ${i} is missing`);
      return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
    },
    integer(attribute, otherwise) {
      const given = node.attributes[attribute];
      return given?.type === 'int' ? given.value : otherwise;
    },
    isConstant: (i) => constants.has(name(i)),
    shape(i) {
      const shape = constants.get(name(i))?.dims ?? shapes.get(name(i));
      if (!shape) throw fail(`input ${i} ("${name(i)}") is computed by no node before it`);
      return shape;
    },
    usedOnce: (i) => {
      const vector = vectors.get(name(i));
      const readers = [...graph.nodes.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.name)];
      return readers.filter((reader) => vectors.get(reader) === vector).length === 1;
    },
    output(shape, i = 0) {
      const dims = typeof shape === 'number' ? [1, shape] : shape;
      const vector = new Float32Array(sizeOf(dims));
      alias(vector, i, dims);
      return vector;
    },
  };
}

function constantOf(node: OnnxNode, where: string): OnnxTensor {
  const { value } = node.attributes;
  if (value?.type === 'tensor') return value.value;
  throw new UserError(`${where}: node "${node.name}" (Constant) holds no tensor`);
}
