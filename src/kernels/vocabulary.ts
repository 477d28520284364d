/** What a program for the kernels is made of. The numbers are places in these lists: native/operations.h has the same. */
export const elementwise = (
  'neg exp log tanh sigmoid softplus relu elu sqrt abs sign reciprocal add sub mul div min max less greater equal ' +
  'where pow clip reluGradient copy multiplyAdd subtractProduct'
).split(' ');

export const instructions = 'end barrier pack product localProduct dot combine chain reduction rows'.split(
  ' ',
);

export const rowFunctions = ['normalize', 'inverseDeviation', 'softmax', 'logSoftmax'];

export const slotKinds = ['temporary', 'flat', 'scalar', 'loaded', 'row', 'stored', 'product'] as const;
export type SlotKind = (typeof slotKinds)[number];

/** What the kernels of an instruction set work with: their tile of C, and how deep a product is summed in one go. */
export interface Tiling {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

const scratch = new DataView(new ArrayBuffer(4));

/** The word that holds a single-precision number. */
export function floatWord(x: number): number {
  scratch.setFloat32(0, x);
  return scratch.getInt32(0);
}
