import type { UserError } from '../base/errors.js';
import type { OnnxNode, OnnxTensor } from '../onnx/model.js';
import type { Products, Step } from './products.js';

/** The node at hand, as the builders below see it. */
export interface NodeContext {
  readonly node: OnnxNode;
  /** The vector behind input i. @throws UserError where that input is constant */
  vector(i: number): Float32Array;
  /** The constant behind input i, or nothing where it is left out. @throws UserError where it is computed */
  constant(i: number): OnnxTensor | undefined;
  isConstant(i: number): boolean;
  /** Float32 constants behind input i. @throws UserError where there are none */
  floats(i: number): Float32Array;
  /** Integer constants behind input i. @throws UserError where there are none */
  integers(i: number): number[];
  /** An attribute that is a whole number. */
  integer(attribute: string, otherwise: number): number;
  /** Dimensions of the value behind input i; those of the batch are 1. */
  shape(i: number): readonly number[];
  /** Is this node the only one that reads input i? */
  usedOnce(i: number): boolean;
  /** Makes output i, of these dimensions; a number is the length of a vector [1, n]. */
  output(shape: number | readonly number[], i?: number): Float32Array;
  /** Lets output i be an existing value; a vector [1, n] where no dimensions are given. */
  alias(of: Float32Array, i?: number, shape?: readonly number[]): void;
  /** What computes products. */
  readonly products: Products;
  fail(why: string): UserError;
}

export type Builder = (context: NodeContext) => Step | undefined;
