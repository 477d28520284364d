import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { Op, Tensor } from '../graph.js';
import type { TF } from './load.js';

type Elementwise = (...inputs: TfTensor[]) => TfTensor;

/** Operations that TensorFlow.js has under the same meaning. */
function direct(tf: TF): Partial<Record<Op['name'], Elementwise>> {
  return {
    neg: tf.neg,
    exp: tf.exp,
    log: tf.log,
    tanh: tf.tanh,
    sigmoid: tf.sigmoid,
    softplus: tf.softplus,
    relu: tf.relu,
    elu: tf.elu,
    sqrt: tf.sqrt,
    abs: tf.abs,
    sign: tf.sign,
    reciprocal: tf.reciprocal,
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    div: tf.div,
    min: tf.minimum,
    max: tf.maximum,
    less: tf.less,
    greater: tf.greater,
    equal: tf.equal,
    where: tf.where,
    reluGradient: (g, y) => tf.where(tf.greater(y, 0), g, tf.scalar(0)),
    toFloat: (mask) => tf.cast(mask, 'float32'),
    stopGradient: (x) => x,
    softmax: (x) => tf.softmax(x),
    logSoftmax: (x) => tf.logSoftmax(x),
  };
}

/** What computes the value of a tensor from those of its inputs. Leaves have none. */
export function evaluator(tf: TF): (t: Tensor, inputs: readonly TfTensor[]) => TfTensor {
  const known = direct(tf);
  /** 1 / √(variance + ε) over the last axis, and what it divides. */
  const deviation = (x: TfTensor, epsilon: number) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    return { centred, inverse: tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)) };
  };
  return (t, inputs) => {
    const { op, shape } = t;
    const [x, y] = inputs;
    const simple = known[op.name];
    if (simple) return simple(...inputs);
    switch (op.name) {
      case 'pow':
        return tf.pow(x, tf.scalar(op.exponent));
      case 'clip':
        return tf.clipByValue(x, op.min, op.max);
      case 'matmul':
        return tf.matMul(x, y, op.transposeA, op.transposeB);
      case 'sum':
        return tf.sum(x, [...op.axes], op.keepDims);
      case 'mean':
        return tf.mean(x, [...op.axes], op.keepDims);
      case 'reduceMax':
        return tf.max(x, [...op.axes], op.keepDims);
      case 'reshape':
        return tf.reshape(x, [...shape]);
      case 'expand':
        return tf.broadcastTo(x, [...shape]);
      case 'transpose':
        return tf.transpose(x, [...op.permutation]);
      case 'concat':
        return tf.concat([...inputs], op.axis);
      case 'slice':
        return tf.slice(x, [...op.starts], [...shape]);
      case 'pad': {
        const { before } = op;
        return tf.pad(
          x,
          before.map((front, i) => [front, shape[i] - front - x.shape[i]]),
        );
      }
      case 'normalize': {
        const { centred, inverse } = deviation(x, op.epsilon);
        return tf.mul(centred, inverse);
      }
      case 'inverseDeviation':
        return deviation(x, op.epsilon).inverse;
      default:
        throw new Error(`TensorFlow.js is not told how to compute ${op.name}`);
    }
  };
}
