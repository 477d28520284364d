import { type Host, type Kernels, nativeKernels } from '../kernels/addon.js';
import { elementwise, instructions, slotKinds } from '../kernels/vocabulary.js';
import { wasmKernels } from '../kernels/wasm.js';
import { activate, dense } from './layers.js';

/** A step of the network: reads and writes buffers that it was built with. */
export type Step = () => void;

/**
 * One product of a network: out = x W + b, with W [inputs, outputs] row-major. Mostly of one row; a layer over the
 * patches of a picture has one row for each of them.
 */
export interface DenseLayer {
  /** [rows, inputs] */
  readonly x: Float32Array;
  readonly weight: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
  /** [rows, outputs] */
  readonly out: Float32Array;
  /** Ends in max(·, 0). */
  relu?: boolean;
}

interface Sizes {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

function sizesOf({ x, bias, out }: DenseLayer): Sizes {
  const rows = out.length / bias.length;
  return { rows, inputs: x.length / rows, outputs: bias.length };
}

/** The rows of a matrix, as views of it. */
const rowsOf = (matrix: Float32Array, rows: number, width: number): Float32Array[] =>
  Array.from({ length: rows }, (_, r) => matrix.subarray(r * width, (r + 1) * width));

/** What computes the products of one network. */
export interface Products {
  /** @returns the layer's step, to be run once `finish` has been called */
  add(layer: DenseLayer): Step;
  /** Lets a layer end in max(·, 0). @returns whether `out` is the output of a layer */
  rectify(out: Float32Array): boolean;
  finish(): void;
}

/** A way to compute products, by name. */
export interface ProductEngine {
  readonly name: string;
  open(): Products;
}

/** Plain TypeScript: the same bits wherever it runs. */
export const plainProducts: ProductEngine = { name: 'TypeScript', open: () => new PlainProducts() };

class PlainProducts implements Products {
  private readonly layers: DenseLayer[] = [];

  add(layer: DenseLayer): Step {
    this.layers.push(layer);
    const { weight, bias } = layer;
    const { rows, inputs, outputs } = sizesOf(layer);
    const [x, out] = [rowsOf(layer.x, rows, inputs), rowsOf(layer.out, rows, outputs)];
    const sum = new Float64Array(outputs);
    const active = new Int32Array(inputs);
    return () => {
      for (let r = 0; r < rows; r++) {
        dense(x[r], weight, bias, sum, active);
        activate(sum, out[r], layer.relu ? 'relu' : 'linear');
      }
    };
  }

  rectify(out: Float32Array): boolean {
    return rectified(this.layers, out);
  }

  finish(): void {}
}

function rectified(layers: readonly DenseLayer[], out: Float32Array): boolean {
  const layer = layers.find((l) => l.out === out);
  if (layer) layer.relu = true;
  return layer !== undefined;
}

/** Products by compiled kernels, called as they are needed, in the thread that asks. */
const kernelProducts = (kernels: Kernels): ProductEngine => ({
  name: `${kernels.name} kernels`,
  open: () => new KernelProducts(kernels),
});

/** Floats in a cache line. */
const LINE = 16;
const aligned = (size: number): number => Math.ceil(size / LINE) * LINE;

/** A layer with its place in the arena: weights, bias, input and output behind one another, rows of outputs on lines. */
interface PlacedLayer extends DenseLayer {
  readonly sizes: Sizes;
  readonly at: { readonly weight: number; readonly bias: number; readonly x: number; readonly out: number };
  input?: Float32Array;
  output?: readonly Float32Array[];
  words?: Int32Array;
}

class KernelProducts implements Products {
  private readonly layers: PlacedLayer[] = [];
  private size = 0;
  private host: Host | undefined;

  constructor(private readonly kernels: Kernels) {}

  add(layer: DenseLayer): Step {
    const place = (length: number) => {
      this.size += aligned(length);
      return this.size - aligned(length);
    };
    const sizes = sizesOf(layer);
    const { rows, inputs, outputs } = sizes;
    const placed: PlacedLayer = {
      ...layer,
      sizes,
      at: {
        weight: place(inputs * aligned(outputs)),
        bias: place(outputs),
        x: place(rows * inputs),
        out: place(rows * aligned(outputs)),
      },
    };
    this.layers.push(placed);
    const { x, out } = layer;
    return () => {
      placed.input!.set(x);
      this.host!.run(placed.words!);
      const output = placed.output!;
      for (let r = 0; r < rows; r++) out.set(output[r], r * outputs);
    };
  }

  rectify(out: Float32Array): boolean {
    return rectified(this.layers, out);
  }

  finish(): void {
    const host = this.kernels.open({ size: this.size, scratch: PANEL, threads: 1, spin_us: 0 });
    for (const layer of this.layers) {
      const { at, x, sizes } = layer;
      const { rows, outputs } = sizes;
      host.arena.set(inPanels(layer), at.weight);
      host.arena.set(layer.bias, at.bias);
      layer.input = host.arena.subarray(at.x, at.x + x.length);
      layer.output = Array.from({ length: rows }, (_, r) => {
        const from = at.out + r * aligned(outputs);
        return host.arena.subarray(from, from + outputs);
      });
      layer.words = program(layer);
    }
    this.host = host;
  }
}

/** Columns that the kernels take at a time: four vectors of AVX-512. */
const PANEL = 64;

/** Columns of the panel from this one on, whole vectors of them: what lies beyond the last is 0. */
const panelWidth = (from: number, columns: number): number => Math.min(PANEL, aligned(columns) - from);

/** W cut into panels of columns, one behind the other, so that memory is read in the order in which it lies. */
function inPanels({ weight, sizes: { inputs, outputs: n } }: PlacedLayer): Float32Array {
  const packed = new Float32Array(inputs * aligned(n));
  for (let from = 0; from < n; from += PANEL) {
    const width = panelWidth(from, n);
    for (let i = 0; i < inputs; i++) {
      const row = weight.subarray(i * n + from, i * n + Math.min(from + width, n));
      packed.set(row, from * inputs + i * width);
    }
  }
  return packed;
}

/**
 * For each row of x and each panel of W the rows of that, combined by the elements of x, then the bias: the words of
 * native/run.h and native/elementwise.h.
 */
function program({ sizes: { rows, inputs, outputs }, at, relu }: PlacedLayer): Int32Array {
  const NOWHERE = -1;
  const [end, combine] = ['end', 'combine'].map((name) => instructions.indexOf(name));
  const slot = (kind: (typeof slotKinds)[number], offset: number) => [
    ...[slotKinds.indexOf(kind), 0, offset],
    ...[0, 0, 0, 1],
  ];
  const sum = [elementwise.indexOf('add'), 2, 0, 1, 1, 0, 0];
  const operations = relu ? [sum, [elementwise.indexOf('relu'), 2, 2, 2, 2, 0, 0]] : [sum];
  const words: number[] = [];
  for (let row = 0; row < rows; row++) {
    const [x, out] = [at.x + row * inputs, at.out + row * aligned(outputs)];
    for (let from = 0; from < outputs; from += PANEL) {
      const n = panelWidth(from, outputs);
      const slots = [slot('product', 0), slot('flat', at.bias + from), slot('flat', out + from)];
      const chain = [
        n,
        n,
        n,
        1,
        1,
        n,
        slots.length,
        operations.length,
        ...slots.flat(),
        ...operations.flat(),
      ];
      const matrix = [at.weight + from * inputs, n, 1];
      const operands = [n, n, inputs, ...matrix, x, 1, NOWHERE, 1, chain.length, ...chain];
      words.push(combine, operands.length + 2, ...operands);
    }
  }
  return Int32Array.from([...words, end, 2]);
}

/** All that this machine has, plain TypeScript last. */
export function productEngines(): ProductEngine[] {
  const found = [nativeKernels(), wasmKernels()];
  return [...found.flatMap((k) => ('missing' in k ? [] : [kernelProducts(k)])), plainProducts];
}

let fastest: ProductEngine | undefined;

/** A robot's policy, about: one hidden layer of the usual width after another. */
const TRIAL = { inputs: 46, widths: [256, 256, 256, 24], runs: 60 };

/**
 * The engine that is fastest on this machine, by its median time for a network of usual size. Measured once in a
 * process, which takes some hundredths of a second: before a control loop begins, not while it runs.
 */
export function fastestProducts(): ProductEngine {
  if (fastest) return fastest;
  const timed = productEngines().map((engine) => ({ engine, time_ms: trial(engine) }));
  timed.sort((a, b) => a.time_ms - b.time_ms);
  fastest = timed[0].engine;
  return fastest;
}

function trial(engine: ProductEngine): number {
  const products = engine.open();
  let x = new Float32Array(TRIAL.inputs).fill(0.5);
  const steps = TRIAL.widths.map((width) => {
    const weight = new Float32Array(x.length * width).fill(1 / x.length);
    const out = new Float32Array(width);
    const step = products.add({ x, weight, bias: new Float32Array(width), out });
    x = out;
    return step;
  });
  products.finish();
  const times = Array.from({ length: TRIAL.runs }, () => {
    const start = performance.now();
    for (const step of steps) step();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[TRIAL.runs / 2];
}
