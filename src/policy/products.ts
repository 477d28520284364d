import { type Host, type Kernels, nativeKernels } from '../kernels/addon.js';
import { elementwise, instructions, slotKinds } from '../kernels/vocabulary.js';
import { wasmKernels } from '../kernels/wasm.js';
import { activate, dense } from './layers.js';

/** A step of the network: reads and writes buffers that it was built with. */
export type Step = () => void;

/** One product of a network: out = x W + b, with W [inputs, outputs] row-major. */
export interface DenseLayer {
  readonly x: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly out: Float32Array;
  /** Ends in max(·, 0). */
  relu?: boolean;
}

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
    const { x, weight, bias, out } = layer;
    const sum = new Float64Array(out.length);
    const active = new Int32Array(x.length);
    return () => {
      dense(x, weight, bias, sum, active);
      activate(sum, out, layer.relu ? 'relu' : 'linear');
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

/** A layer with its place in the arena: weights, bias, input and output behind one another. */
interface PlacedLayer extends DenseLayer {
  readonly at: { readonly weight: number; readonly bias: number; readonly x: number; readonly out: number };
  input?: Float32Array;
  output?: Float32Array;
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
    const { x, bias, out } = layer;
    const placed: PlacedLayer = {
      ...layer,
      at: {
        weight: place(x.length * aligned(out.length)),
        bias: place(bias.length),
        x: place(x.length),
        out: place(out.length),
      },
    };
    this.layers.push(placed);
    return () => {
      placed.input!.set(x);
      this.host!.run(placed.words!);
      out.set(placed.output!);
    };
  }

  rectify(out: Float32Array): boolean {
    return rectified(this.layers, out);
  }

  finish(): void {
    const host = this.kernels.open({ size: this.size, scratch: PANEL, threads: 1, spin_us: 0 });
    for (const layer of this.layers) {
      const { at, x, out } = layer;
      host.arena.set(inPanels(layer), at.weight);
      host.arena.set(layer.bias, at.bias);
      layer.input = host.arena.subarray(at.x, at.x + x.length);
      layer.output = host.arena.subarray(at.out, at.out + out.length);
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
function inPanels({ weight, x, out }: DenseLayer): Float32Array {
  const n = out.length;
  const packed = new Float32Array(x.length * aligned(n));
  for (let from = 0; from < n; from += PANEL) {
    const width = panelWidth(from, n);
    for (let i = 0; i < x.length; i++) {
      const row = weight.subarray(i * n + from, i * n + Math.min(from + width, n));
      packed.set(row, from * x.length + i * width);
    }
  }
  return packed;
}

/**
 * For each panel of W its rows, combined by the elements of x, then the bias: the words of native/run.h and
 * native/elementwise.h.
 */
function program({ x, out, at, relu }: PlacedLayer): Int32Array {
  const NOWHERE = -1;
  const [end, combine] = ['end', 'combine'].map((name) => instructions.indexOf(name));
  const slot = (kind: (typeof slotKinds)[number], offset: number) => [
    ...[slotKinds.indexOf(kind), 0, offset],
    ...[0, 0, 0, 1],
  ];
  const sum = [elementwise.indexOf('add'), 2, 0, 1, 1, 0, 0];
  const operations = relu ? [sum, [elementwise.indexOf('relu'), 2, 2, 2, 2, 0, 0]] : [sum];
  const words: number[] = [];
  for (let from = 0; from < out.length; from += PANEL) {
    const n = panelWidth(from, out.length);
    const slots = [slot('product', 0), slot('flat', at.bias + from), slot('flat', at.out + from)];
    const chain = [n, n, n, 1, 1, n, slots.length, operations.length, ...slots.flat(), ...operations.flat()];
    const matrix = [at.weight + from * x.length, n, 1];
    const operands = [n, n, x.length, ...matrix, at.x, 1, NOWHERE, 1, chain.length, ...chain];
    words.push(combine, operands.length + 2, ...operands);
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
