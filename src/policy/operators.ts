import { activate, layerNorm } from './layers.js';
import type { Builder, NodeContext } from './operator.js';
import type { Step } from './products.js';
import { broadcast, broadcastIndex } from './shape.js';
import { shapeOperators } from './shapeOperators.js';

/**
 * What one ONNX node does at batch 1, where every shape is known: values are flat, row-major. Building
 * an operation checks sizes and allocates; running one does neither.
 */

/** ONNX's number for float32. */
const FLOAT = 1;

const unary =
  (f: (x: number) => number): Builder =>
  (c) => {
    const x = c.vector(0);
    const out = c.output(c.shape(0));
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
    };
  };

const activation =
  (kind: 'relu' | 'tanh' | 'sigmoid'): Builder =>
  (c) => {
    const x = c.vector(0);
    if (kind === 'relu' && c.usedOnce(0) && c.products.rectify(x)) {
      c.alias(x, 0, c.shape(0));
      return undefined;
    }
    const out = c.output(c.shape(0));
    const v = new Float64Array(x.length);
    return () => {
      v.set(x);
      activate(v, out, kind);
    };
  };

/** Element by element; operands are broadcast. */
const binary =
  (f: (a: number, b: number) => number): Builder =>
  (c) => {
    const operand = (i: number) => (c.isConstant(i) ? row(c, i) : c.vector(i));
    const [a, b] = [operand(0), operand(1)];
    const shape = broadcast(c.shape(0), c.shape(1));
    if (!shape) throw c.fail(`its operands have ${a.length} and ${b.length} elements`);
    const out = c.output(shape);
    const n = out.length;
    if ([a, b].every((x) => x.length === n || x.length === 1)) {
      const strideA = a.length === 1 ? 0 : 1;
      const strideB = b.length === 1 ? 0 : 1;
      return () => {
        for (let i = 0; i < n; i++) out[i] = f(a[i * strideA], b[i * strideB]);
      };
    }
    const [ofA, ofB] = [broadcastIndex(shape, c.shape(0)), broadcastIndex(shape, c.shape(1))];
    return () => {
      for (let i = 0; i < n; i++) out[i] = f(a[ofA[i]], b[ofB[i]]);
    };
  };

/** y = x W + b, row by row: the product of both Gemm and MatMul. */
const product: Builder = (c) => {
  const { attributes } = c.node;
  if (c.integer('transA', 0) !== 0) throw c.fail('transA is not read here');
  const x = c.vector(0);
  const given = c.constant(1);
  if (given?.dims.length === 3) return products(c, given.dims);
  if (given?.dims.length !== 2) throw c.fail('expected a constant matrix as its second input');
  const transposed = c.integer('transB', 0) !== 0;
  const [inputs, outputs] = transposed ? [given.dims[1], given.dims[0]] : given.dims;
  const from = c.shape(0);
  if (from.at(-1) !== inputs) throw c.fail(`it takes ${inputs} elements and is given ${from.at(-1)}`);
  const shape = [...from.slice(0, -1), outputs];
  const alpha = attributes.alpha?.type === 'float' ? attributes.alpha.value : 1;
  const beta = attributes.beta?.type === 'float' ? attributes.beta.value : 1;
  const values = c.floats(1);
  let weight: Float32Array = values;
  // As it lies in the file where it can be, so that new weights may be put there.
  if (transposed || alpha !== 1) {
    weight = new Float32Array(inputs * outputs);
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < outputs; j++)
        weight[i * outputs + j] = alpha * values[transposed ? j * inputs + i : i * outputs + j];
  }
  let bias: Float32Array = new Float32Array(outputs);
  const added = c.node.inputs.length > 2 && c.node.inputs[2] !== '';
  if (added && c.isConstant(2)) {
    const addend = row(c, 2);
    if (addend.length !== outputs && addend.length !== 1)
      throw c.fail(`its bias has ${addend.length} elements for ${outputs} outputs`);
    if (addend.length === outputs && beta === 1) bias = addend;
    else bias = bias.map((_, j) => beta * addend[addend.length === 1 ? 0 : j]);
  }
  if (!added || c.isConstant(2)) return c.products.add({ x, weight, bias, out: c.output(shape) });
  // What is added was computed: two products into one, as in a recurrent layer.
  const addend = c.vector(2);
  const out = c.output(shape);
  if (addend.length !== out.length)
    throw c.fail(`what it adds has ${addend.length} elements for ${out.length} outputs`);
  const product = new Float32Array(out.length);
  const step = c.products.add({ x, weight, bias, out: product });
  return () => {
    step();
    for (let j = 0; j < out.length; j++) out[j] = product[j] + beta * addend[j];
  };
};

/** Products of matrices side by side, [blocks, 1, n] · [blocks, n, m]: a layer in blocks. */
function products(c: NodeContext, [blocks, n, m]: readonly number[]): Step {
  const from = c.shape(0);
  if (`${from}` !== `${[blocks, 1, n]}`)
    throw c.fail(`it takes [${blocks}, 1, ${n}] and is given [${from.join(', ')}]`);
  const x = c.vector(0);
  const weight = c.floats(1);
  const out = c.output([blocks, 1, m]);
  const steps = Array.from({ length: blocks }, (_, b) =>
    c.products.add({
      x: x.subarray(b * n, (b + 1) * n),
      weight: weight.subarray(b * n * m, (b + 1) * n * m),
      bias: new Float32Array(m),
      out: out.subarray(b * m, (b + 1) * m),
    }),
  );
  return () => {
    for (let b = 0; b < steps.length; b++) steps[b]();
  };
}

const normalization: Builder = (c) => {
  const x = c.vector(0);
  lastAxis(c, -1);
  const scale = c.floats(1);
  const offset = c.node.inputs.length > 2 && c.node.inputs[2] !== '' ? c.floats(2) : undefined;
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
  const low = c.constant(1) ? c.floats(1)[0] : Number.NEGATIVE_INFINITY;
  const high = c.constant(2) ? c.floats(2)[0] : Number.POSITIVE_INFINITY;
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

const split: Builder = (c) => {
  lastAxis(c, 0);
  const x = c.vector(0);
  const n = c.node.outputs.length;
  const sizes = c.constant(1) ? c.integers(1) : c.node.outputs.map(() => x.length / n);
  if (sizes.length !== n || sizes.some((s) => !Number.isInteger(s)) || total(sizes) !== x.length)
    throw c.fail(`it cuts ${x.length} elements into ${sizes.join(' + ')}`);
  sizes.forEach((size, i) => {
    const at = total(sizes.slice(0, i));
    c.alias(x.subarray(at, at + size), i);
  });
  return undefined;
};

const same: Builder = (c) => {
  c.alias(c.vector(0), 0, c.shape(0));
  return undefined;
};

/** Truth values are numbers here, 0 and 1. */
const cast: Builder = (c) => {
  const to = c.integer('to', FLOAT);
  if (to !== FLOAT) throw c.fail(`it casts to type ${to}, expected ${FLOAT} (float32)`);
  return same(c);
};

const flatten: Builder = (c) => {
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
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Clip: clip,
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Min: binary(Math.min),
  Max: binary(Math.max),
  Equal: binary((a, b) => (a === b ? 1 : 0)),
  Split: split,
  Identity: same,
  Cast: cast,
  Flatten: flatten,
  ...shapeOperators,
};

/** Constants that stand beside a vector: one row, whatever the other dimensions are called. */
function row(c: NodeContext, i: number): Float32Array {
  const values = c.floats(i);
  const dims = c.constant(i)!.dims;
  if (values.length !== (dims[dims.length - 1] ?? 1))
    throw c.fail(`constant "${c.node.inputs[i]}" of shape [${dims.join(', ')}] is not a single row`);
  return values;
}

/** @throws UserError where the node works along the batch */
function lastAxis(c: NodeContext, otherwise: number): void {
  const axis = c.integer('axis', otherwise);
  if (axis !== 1 && axis !== -1) throw c.fail(`axis ${axis} is not the last of two`);
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}
