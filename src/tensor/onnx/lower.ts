import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../../onnx/model.js';
import { type Op, reachable, type Tensor } from '../graph.js';
import type { Shape } from '../shape.js';
import { absorbed, gemmOf, layerNormOf } from './fuse.js';

/** The operator set that we write: the first in which all reductions take their axes as an input. */
export const opset = 18;

const simple: Partial<Record<Op['name'], string>> = {
  neg: 'Neg',
  exp: 'Exp',
  log: 'Log',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  softplus: 'Softplus',
  relu: 'Relu',
  elu: 'Elu',
  sqrt: 'Sqrt',
  abs: 'Abs',
  sign: 'Sign',
  reciprocal: 'Reciprocal',
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  min: 'Min',
  max: 'Max',
  less: 'Less',
  greater: 'Greater',
  equal: 'Equal',
  where: 'Where',
};

const int = (value: number): OnnxAttribute => ({ type: 'int', value });

export interface LowerOptions {
  /** What is given by name from outside: inputs, states, parameters. Lowering stops there. */
  given: ReadonlyMap<Tensor, string>;
  /** What is wanted, under these names. */
  wanted: readonly (readonly [name: string, tensor: Tensor])[];
  /** A first dimension of this length stands for a batch of any length. */
  dynamicBatch?: number;
}

/** Writes what `wanted` needs as ONNX nodes and constants; what nobody wants is not written. */
export function lower(options: LowerOptions): { nodes: OnnxNode[]; initializers: OnnxTensor[] } {
  const lowering = new Lowering(options);
  return { nodes: lowering.nodes, initializers: [...lowering.initializers.values()] };
}

class Lowering {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  private readonly names: Map<Tensor, string>;
  private readonly uses = new Map<Tensor, number>();
  private readonly order: readonly Tensor[];

  constructor(private readonly options: LowerOptions) {
    const { given, wanted } = options;
    this.names = new Map(given);
    const roots = wanted.map(([, tensor]) => tensor);
    this.order = reachable(roots, given);
    for (const t of [...roots, ...this.order.flatMap((node) => (given.has(node) ? [] : node.inputs))]) {
      this.uses.set(t, (this.uses.get(t) ?? 0) + 1);
    }
    const fused = new Set(this.order.flatMap((t) => (given.has(t) ? [] : absorbed(t, this.uses))));
    for (const tensor of this.order) {
      if (!this.names.has(tensor) && !fused.has(tensor)) this.names.set(tensor, this.emit(tensor));
    }
    for (const [name, tensor] of wanted) this.publish(name, tensor);
  }

  /** Renames what computes a wanted tensor; copies it only where it is wanted twice or computed by no node. */
  private publish(wanted: string, tensor: Tensor): void {
    const name = this.name(tensor);
    const taken = this.options.wanted.some(([other]) => other === name);
    const producer = taken ? undefined : this.nodes.find((node) => node.outputs.includes(name));
    if (!producer) {
      this.add('Identity', [tensor], {}, wanted);
      return;
    }
    const rename = (other: string) => (other === name ? wanted : other);
    for (const node of this.nodes) {
      node.inputs = node.inputs.map(rename);
      node.outputs = node.outputs.map(rename);
    }
    for (const [t, other] of this.names) this.names.set(t, rename(other));
  }

  private name(tensor: Tensor): string {
    const name = this.names.get(tensor);
    if (name === undefined) throw new Error(`${tensor} is given to nobody: an engine's mistake`);
    return name;
  }

  private add(
    opType: string,
    inputs: readonly (Tensor | string)[],
    attributes: Record<string, OnnxAttribute> = {},
    ...outputs: string[]
  ): string {
    const [name = `${opType.toLowerCase()}_${this.nodes.length}`] = outputs;
    this.nodes.push({
      name,
      opType,
      domain: '',
      inputs: inputs.map((i) => (typeof i === 'string' ? i : this.name(i))),
      outputs: outputs.length ? outputs : [name],
      attributes,
    });
    return name;
  }

  private floats(values: readonly number[], dims: Shape): string {
    const uniform = values.every((v) => v === values[0]);
    const name = `f_${dims.join('x')}_${uniform ? values[0] : values.length > 8 ? `v${this.initializers.size}` : values.join('_')}`;
    this.initializers.set(name, { name, type: 'float32', dims: [...dims], data: Float32Array.from(values) });
    return name;
  }

  private ints(values: readonly number[]): string {
    const name = `i_${values.join('_')}`;
    const data = BigInt64Array.from(values.map(BigInt));
    this.initializers.set(name, { name, type: 'int64', dims: [values.length], data });
    return name;
  }

  private emit(t: Tensor): string {
    const { op, inputs } = t;
    const direct = simple[op.name];
    if (op.name === 'add') {
      const product = gemmOf(t, this.uses);
      if (product) return this.gemm(product, inputs[0] === product ? inputs[1] : inputs[0]);
      const norm = layerNormOf(t, this.uses);
      if (norm) {
        const { x, scale, offset, epsilon } = norm;
        return this.add('LayerNormalization', [x, scale, offset], layerNormAttributes(epsilon));
      }
    }
    if (direct) return this.add(direct, inputs);
    switch (op.name) {
      case 'constant':
        return this.floats(op.values, t.shape);
      case 'stopGradient':
        return this.name(inputs[0]);
      case 'toFloat':
        return this.add('Cast', inputs, { to: int(1) });
      case 'pow':
        return this.add('Pow', [inputs[0], this.floats([op.exponent], [])]);
      case 'clip':
        return this.add('Clip', [inputs[0], this.floats([op.min], []), this.floats([op.max], [])]);
      case 'reluGradient':
        return this.add('Mul', [inputs[0], this.positive(inputs[1])]);
      case 'matmul':
        return t.rank === 2 ? this.gemm(t) : this.batchedProduct(t);
      case 'sum':
      case 'mean':
      case 'reduceMax': {
        if (this.isColumnSum(t)) return this.columnSum(t);
        const opType = { sum: 'ReduceSum', mean: 'ReduceMean', reduceMax: 'ReduceMax' }[op.name];
        return this.add(opType, [inputs[0], this.ints(op.axes)], { keepdims: int(op.keepDims ? 1 : 0) });
      }
      case 'reshape':
        return this.add('Reshape', [inputs[0], this.ints(this.target(t.shape))]);
      case 'expand':
        this.expectFixedBatch(t);
        return this.add('Expand', [inputs[0], this.ints(t.shape)]);
      case 'transpose':
        return this.add('Transpose', inputs, { perm: { type: 'ints', value: [...op.permutation] } });
      case 'concat':
        return this.add('Concat', inputs, { axis: int(op.axis) });
      case 'slice': {
        const axes = [...t.shape.keys()].filter((i) => t.shape[i] !== inputs[0].shape[i]);
        const pick = (values: readonly number[]) => this.ints(axes.map((i) => values[i]));
        return this.add('Slice', [inputs[0], pick(op.starts), pick(op.ends), this.ints(axes)]);
      }
      case 'pad': {
        this.expectFixedBatch(t);
        const after = t.shape.map((d, i) => d - op.before[i] - inputs[0].shape[i]);
        return this.add('Pad', [inputs[0], this.ints([...op.before, ...after])]);
      }
      case 'normalize':
      case 'inverseDeviation':
        return this.normalization(t, op.epsilon);
      case 'softmax':
        return this.add('Softmax', inputs, { axis: int(-1) });
      case 'logSoftmax':
        return this.add('LogSoftmax', inputs, { axis: int(-1) });
      default:
        throw new Error(`${op.name} has no value of its own: pass it as given`);
    }
  }

  private gemm(product: Tensor, addend?: Tensor): string {
    const op = product.op as Op & { name: 'matmul' };
    const attributes = { transA: int(op.transposeA ? 1 : 0), transB: int(op.transposeB ? 1 : 0) };
    return this.add('Gemm', addend ? [...product.inputs, addend] : product.inputs, attributes);
  }

  /**
   * 1 where y > 0, else 0, for a y that is not negative: min(max(3e38 y, 0), 1). One pass over y, where Greater with
   * Cast takes two and Sign alone five times as long.
   */
  private positive(y: Tensor): string {
    return this.add('HardSigmoid', [y], {
      alpha: { type: 'float', value: 3e38 },
      beta: { type: 'float', value: 0 },
    });
  }

  private isColumnSum({ op, inputs: [x] }: Tensor): boolean {
    const sums = op.name === 'sum' || op.name === 'mean';
    return sums && x.rank === 2 && `${op.axes}` === '0' && !this.options.dynamicBatch;
  }

  /** Sums or means over rows as a product with a row of constants: seven times as fast as ReduceSum. */
  private columnSum(t: Tensor): string {
    const [rows, columns] = t.inputs[0].shape;
    const weight = t.op.name === 'mean' ? 1 / rows : 1;
    const weights = this.floats(new Array<number>(rows).fill(weight), [1, rows]);
    const sums = this.add('Gemm', [weights, t.inputs[0]]);
    return t.rank === 2 ? sums : this.add('Reshape', [sums, this.ints([columns])]);
  }

  private batchedProduct(t: Tensor): string {
    const op = t.op as Op & { name: 'matmul' };
    const side = (x: Tensor, transposed: boolean) => {
      if (!transposed) return this.name(x);
      const perm = [...x.shape.keys()].map((i) => (i < x.rank - 2 ? i : 2 * x.rank - 3 - i));
      return this.add('Transpose', [x], { perm: { type: 'ints', value: perm } });
    };
    return this.add('MatMul', [side(t.inputs[0], op.transposeA), side(t.inputs[1], op.transposeB)]);
  }

  /** One LayerNormalization gives both the normalised values and the factor that normalised them. */
  private normalization(t: Tensor, epsilon: number): string {
    const [x] = t.inputs;
    const base = `layernorm_${this.name(x)}_${epsilon}`;
    if (!this.nodes.some((node) => node.name === base)) {
      const width = x.shape[x.rank - 1];
      const scale = this.floats(new Array<number>(width).fill(1), [width]);
      const outputs = [base, `${base}_mean`, `${base}_inverse`];
      this.add('LayerNormalization', [x, scale], layerNormAttributes(epsilon), ...outputs);
    }
    return t.op.name === 'normalize' ? base : `${base}_inverse`;
  }

  private expectFixedBatch(t: Tensor): void {
    if (this.options.dynamicBatch)
      throw new Error(`${t} states its batch and cannot be written for any batch`);
  }

  private target(shape: Shape): number[] {
    const batch = this.options.dynamicBatch;
    return shape.map((d, i) => (i === 0 && d === batch ? -1 : d));
  }
}

const layerNormAttributes = (epsilon: number): Record<string, OnnxAttribute> => ({
  axis: int(-1),
  epsilon: { type: 'float', value: epsilon },
});
