import { UserError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { type Host, nativeKernels } from '../../src/kernels/addon.js';
import { instructions } from '../../src/kernels/vocabulary.js';
import { wasmKernels } from '../../src/kernels/wasm.js';
import { sacGraph } from '../../src/learn/sac/sac.js';
import { type EngineName, Graph } from '../../src/tensor/index.js';
import { layOut } from '../../src/tensor/native/layout.js';
import { optimise } from '../../src/tensor/optimise/index.js';
import { actions, configOf, nameOf, observations, sacCases } from './sac.js';

/** Instructions of one kind and size in a step's program, and what they cost together. */
export interface InstructionCost {
  readonly what: string;
  readonly times: number;
  /** Each by itself, so that what it needs lies in the cache. */
  readonly total_us: number;
}

/** Where the time of a training step goes on one thread, dearest first. */
export interface StepProfile {
  readonly name: string;
  readonly engine: EngineName;
  /** `critic` updates the critics alone, `both` the actor too. */
  readonly step: string;
  readonly instructions: readonly InstructionCost[];
}

/** What of an instruction's words says how large it is, as native/run.h, elementwise.h and reduce.h have them. */
const sizesOf: Readonly<Record<string, (words: readonly number[]) => string>> = {
  pack: ([, , , depth, columns]) => `${depth}×${columns}`,
  product: ([, , height, columns, depth, , , , , to]) =>
    `${height}×${columns}, ${depth} deep${to < 0 ? ', chained' : ''}`,
  localProduct: ([batches, height, columns, depth]) =>
    `${batches > 1 ? `${batches} × ` : ''}${height}×${columns}, ${depth} deep`,
  dot: ([, length, depth]) => `${length}, ${depth} deep`,
  combine: ([, length, depth]) => `${length}, ${depth} deep`,
  chain: ([elements, rows, , , , , , operations]) => `${rows}×${elements / rows}, ${operations} operations`,
  reduction: ([rows]) => `${rows}`,
  rows: ([, , , count, width]) => `${count}×${width}`,
};

/** Many short looks, of which the least counts: on a busy machine some fall between what others do. */
const LOOKS = 60;
/** Runs of an instruction in one look, so that calling it does not count. */
const REPEATS = 2;

/**
 * @param engines those that do not run programs of kernels are left out
 * @param only parts of names, as for `benchStep`
 * @throws UserError where nothing is left
 */
export function profileSteps(engines: readonly EngineName[], only?: readonly string[]): StepProfile[] {
  const cases = sacCases.filter((c) => !only || only.some((part) => nameOf(c).includes(part)));
  const kernels = engines.flatMap((engine) => {
    const found = engine === 'native' ? nativeKernels() : engine === 'wasm' ? wasmKernels() : undefined;
    return found && !('missing' in found) ? [{ engine, found }] : [];
  });
  if (cases.length === 0 || kernels.length === 0)
    throw new UserError('nothing to profile: that takes the training step, on engine native or wasm');
  return cases.flatMap((c) => {
    const graph = new Graph();
    sacGraph(graph, observations, actions, configOf(c));
    const lean = optimise(graph);
    return kernels.flatMap(({ engine, found }) => {
      const { steps, size, scratch } = layOut(lean, { tiling: found.tiling, threads: 1 });
      const host = found.open({ size, scratch, threads: 1, spin_us: 0 });
      // Nothing that arithmetic is slow with: no zeros, no infinities.
      new Random(1).fillUniform(host.arena, 0.1, 1);
      return [...steps].map(([step, { words }]) => ({
        name: nameOf(c),
        engine,
        step,
        instructions: profile(host, words),
      }));
    });
  });
}

function profile(host: Host, words: Int32Array): InstructionCost[] {
  const costs = new Map<string, InstructionCost>();
  for (let at = 0; instructions[words[at]] !== 'end'; at += words[at + 1]) {
    const name = instructions[words[at]];
    if (name === 'barrier') continue;
    const one = [...words.subarray(at, at + words[at + 1])];
    const what = `${name} ${sizesOf[name](one.slice(2))}`;
    const { times = 0, total_us = 0 } = costs.get(what) ?? {};
    costs.set(what, { what, times: times + 1, total_us: total_us + timeOf_us(host, one) });
  }
  return [...costs.values()].sort((a, b) => b.total_us - a.total_us);
}

/** The least of many looks at an instruction. */
function timeOf_us(host: Host, words: readonly number[]): number {
  const repeated = Array.from({ length: REPEATS }, () => words).flat();
  const program = Int32Array.from([...repeated, instructions.indexOf('end'), 2]);
  let time_us = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look++) {
    const start = performance.now();
    host.run(program);
    time_us = Math.min(time_us, ((performance.now() - start) * 1000) / REPEATS);
  }
  return time_us;
}
