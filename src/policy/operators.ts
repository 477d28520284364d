import type { UserError } from '../base/errors.js';
import type { OnnxNode, OnnxTensor } from '../onnx/model.js';
import { activate, layerNorm } from './layers.js';
import type { Products } from './products.js';

/**
 * What one ONNX node does at batch 1. Every value that is not constant is a vector: the last axis of
 * a tensor whose other dimensions are 1. Building an operation checks sizes and allocates; running
 * one does neither.
 */

/** A step of the network: reads and writes buffers that it was built with. */
export type Step = () => void;

/** The node at hand, as the builders below see it. */
export interface NodeContext {
  readonly node: OnnxNode;
  /** The vector behind input i. @throws UserError where that input is constant */
  vector(i: number): Float32Array;
  /** The constant behind input i, or nothing where it is left out. @throws UserError where it is computed */
  constant(i: number): OnnxTensor | undefined;
  isConstant(i: number): boolean;
  /** Is this node the only one that reads input i? */
  usedOnce(i: number): boolean;
  /** Makes output i, a vector of this size. */
  output(size: number, i?: number): Float32Array;
  /** Lets output i be an existing vector. */
  alias(of: Float32Array, i?: number): void;
  /** What computes products. */
  readonly products: Products;
  fail(why: string): UserError;
}

type Builder = (context: NodeContext) => Step | undefined;

const unary =
  (f: (x: number) => number): Builder =>
  (c) => {
    const x = c.vector(0);
    const out = c.output(x.length);
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
    };
  };

const activation =
  (kind: 'relu' | 'tanh' | 'sigmoid'): Builder =>
  (c) => {
    const x = c.vector(0);
    if (kind === 'relu' && c.usedOnce(0) && c.products.rectify(x)) {
      c.alias(x);
      return undefined;
    }
    const out = c.output(x.length);
    const v = new Float64Array(x.length);
    return () => {
      v.set(x);
      activate(v, out, kind);
    };
  };

/** Element by element; an operand of length 1 is broadcast. */
const binary =
  (f: (a: number, b: number) => number): Builder =>
  (c) => {
    const operand = (i: number) => (c.isConstant(i) ? row(c, i) : c.vector(i));
    const a = operand(0);
    const b = operand(1);
    const n = Math.max(a.length, b.length);
    if ((a.length !== n && a.length !== 1) || (b.length !== n && b.length !== 1))
      throw c.fail(`its operands have ${a.length} and ${b.length} elements`);
    const out = c.output(n);
    const strideA = a.length === 1 ? 0 : 1;
    const strideB = b.length === 1 ? 0 : 1;
    return () => {
      for (let i = 0; i < n; i++) out[i] = f(a[i * strideA], b[i * strideB]);
    };
  };

/** y = x W + b, the product of both Gemm and MatMul. */
const product: Builder = (c) => {
  const { attributes } = c.node;
  if (intAttribute(c, 'transA', 0) !== 0) throw c.fail('transA is not read here');
  const x = c.vector(0);
  const given = c.constant(1);
  if (given?.dims.length !== 2) throw c.fail('expected a constant matrix as its second input');
  const transposed = intAttribute(c, 'transB', 0) !== 0;
  const [inputs, outputs] = transposed ? [given.dims[1], given.dims[0]] : given.dims;
  if (x.length !== inputs) throw c.fail(`it takes ${inputs} elements and is given ${x.length}`);
  const alpha = attributes.alpha?.type === 'float' ? attributes.alpha.value : 1;
  const beta = attributes.beta?.type === 'float' ? attributes.beta.value : 1;
  const values = floats(c, 1);
  const weight = new Float32Array(inputs * outputs);
  for (let i = 0; i < inputs; i++)
    for (let j = 0; j < outputs; j++)
      weight[i * outputs + j] = alpha * values[transposed ? j * inputs + i : i * outputs + j];
  const bias = new Float32Array(outputs);
  const added = c.node.inputs.length > 2 && c.node.inputs[2] !== '';
  if (added && c.isConstant(2)) {
    const addend = row(c, 2);
    if (addend.length !== outputs && addend.length !== 1)
      throw c.fail(`its bias has ${addend.length} elements for ${outputs} outputs`);
    for (let j = 0; j < outputs; j++) bias[j] = beta * addend[addend.length === 1 ? 0 : j];
  }
  if (!added || c.isConstant(2)) return c.products.add({ x, weight, bias, out: c.output(outputs) });
  // What is added was computed: two products into one, as in a recurrent layer.
  const addend = c.vector(2);
  if (addend.length !== outputs)
    throw c.fail(`what it adds has ${addend.length} elements for ${outputs} outputs`);
  const product = new Float32Array(outputs);
  const step = c.products.add({ x, weight, bias, out: product });
  const out = c.output(outputs);
  return () => {
    step();
    for (let j = 0; j < outputs; j++) out[j] = product[j] + beta * addend[j];
  };
};

const normalization: Builder = (c) => {
  const x = c.vector(0);
  lastAxis(c, -1);
  const scale = floats(c, 1);
  const offset = c.node.inputs.length > 2 && c.node.inputs[2] !== '' ? floats(c, 2) : undefined;
  if (scale.length !== x.length || (offset && offset.length !== x.length))
    throw c.fail(`its scale has ${scale.length} elements, its input ${x.length}`);
  const given = c.node.attributes.epsilon;
  const epsilon = given?.type === 'float' ? given.value : 1e-5;
  const out = c.output(x.length);
  const v = new Float64Array(x.length);
  return () => {
    v.set(x);
    layerNorm(v, scale, offset, epsilon);
    activate(v, out, 'linear');
  };
};

const clip: Builder = (c) => {
  const x = c.vector(0);
  const low = c.constant(1) ? floats(c, 1)[0] : Number.NEGATIVE_INFINITY;
  const high = c.constant(2) ? floats(c, 2)[0] : Number.POSITIVE_INFINITY;
  const out = c.output(x.length);
  return () => {
    for (let i = 0; i < out.length; i++) out[i] = Math.min(high, Math.max(low, x[i]));
  };
};

const elu: Builder = (c) => {
  const given = c.node.attributes.alpha;
  const alpha = given?.type === 'float' ? given.value : 1;
  return unary((x) => (x > 0 ? x : alpha * Math.expm1(x)))(c);
};

const concat: Builder = (c) => {
  lastAxis(c, 1);
  const parts = c.node.inputs.map((_, i) => (c.isConstant(i) ? row(c, i) : c.vector(i)));
  const out = c.output(parts.reduce((sum, part) => sum + part.length, 0));
  return () => {
    let at = 0;
    for (let p = 0; p < parts.length; p++) {
      out.set(parts[p], at);
      at += parts[p].length;
    }
  };
};

/** A part of a vector is a view of it: nothing is copied at run time. */
const slice: Builder = (c) => {
  const x = c.vector(0);
  const [starts, ends] = [integers(c, 1), integers(c, 2)];
  const axes = c.constant(3) ? integers(c, 3) : [...starts.keys()];
  const steps = c.constant(4) ? integers(c, 4) : starts.map(() => 1);
  if (axes.length !== 1 || steps[0] !== 1) throw c.fail('it cuts more than one axis, or in steps');
  if (axes[0] !== 1 && axes[0] !== -1) throw c.fail(`axis ${axes[0]} is not the last of two`);
  const from = (i: number) => Math.min(x.length, i < 0 ? x.length + i : i);
  c.alias(x.subarray(from(starts[0]), from(ends[0])));
  return undefined;
};

const split: Builder = (c) => {
  lastAxis(c, 0);
  const x = c.vector(0);
  const n = c.node.outputs.length;
  const sizes = c.constant(1) ? integers(c, 1) : c.node.outputs.map(() => x.length / n);
  if (sizes.length !== n || sizes.some((s) => !Number.isInteger(s)) || total(sizes) !== x.length)
    throw c.fail(`it cuts ${x.length} elements into ${sizes.join(' + ')}`);
  sizes.forEach((size, i) => {
    const at = total(sizes.slice(0, i));
    c.alias(x.subarray(at, at + size), i);
  });
  return undefined;
};

const same: Builder = (c) => {
  c.alias(c.vector(0));
  return undefined;
};

/** The operators that can be run, by ONNX name. */
export const operators: Readonly<Record<string, Builder>> = {
  Gemm: product,
  MatMul: product,
  LayerNormalization: normalization,
  Relu: activation('relu'),
  Tanh: activation('tanh'),
  Sigmoid: activation('sigmoid'),
  Elu: elu,
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Exp: unary(Math.exp),
  Neg: unary((x) => -x),
  Clip: clip,
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Min: binary(Math.min),
  Max: binary(Math.max),
  Concat: concat,
  Slice: slice,
  Split: split,
  Identity: same,
  Flatten: same,
};

function floats(c: NodeContext, i: number): Float32Array {
  const tensor = c.constant(i);
  if (!tensor || !(tensor.data instanceof Float32Array))
    throw c.fail(`expected float32 constants as input ${i} ("${c.node.inputs[i] ?? ''}")`);
  return tensor.data;
}

/** Constants that stand beside a vector: one row, whatever the other dimensions are called. */
function row(c: NodeContext, i: number): Float32Array {
  const values = floats(c, i);
  const dims = c.constant(i)!.dims;
  if (values.length !== (dims[dims.length - 1] ?? 1))
    throw c.fail(`constant "${c.node.inputs[i]}" of shape [${dims.join(', ')}] is not a single row`);
  return values;
}

function integers(c: NodeContext, i: number): number[] {
  const tensor = c.constant(i);
  if (!tensor) throw c.fail(`input ${i} is missing`);
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

function intAttribute(c: NodeContext, name: string, otherwise: number): number {
  const attribute = c.node.attributes[name];
  return attribute?.type === 'int' ? attribute.value : otherwise;
}

/** @throws UserError where the node works along the batch */
function lastAxis(c: NodeContext, otherwise: number): void {
  const axis = intAttribute(c, 'axis', otherwise);
  if (axis !== 1 && axis !== -1) throw c.fail(`axis ${axis} is not the last of two`);
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}
