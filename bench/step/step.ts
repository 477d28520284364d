import { availableParallelism } from 'node:os';
import { UserError } from '../../src/base/errors.js';
import { type EngineName, findEngine } from '../../src/tensor/index.js';
import { CoreProbes, Gate } from '../measure/gate.js';
import { machine } from '../measure/machine.js';
import { PRODUCT_FLOP, productContender } from '../measure/product.js';
import type { BenchReport, BenchResult } from '../measure/result.js';
import { type Contender, interleave, median, pairedRatio, type Rates, spread } from '../measure/rounds.js';
import { dreamerComparator, dreamerContender, dreamerName, dreamerPresets, flopsOfDream } from './dreamer.js';
import { inferenceComparator, inferenceContenders, inferenceFlops, inferenceName } from './inference.js';
import { PyTorch, type Style } from './pytorch.js';
import { flopsOfUpdate, nameOf, sacCases, sacComparator, sacContender } from './sac.js';
import { simulationContender, simulationName } from './simulation.js';

export interface StepBenchOptions {
  /** Only what has one of these in its name; everything where left out. */
  readonly only?: readonly string[];
  /** For each contender of each case. */
  readonly seconds: number;
  /** What the training step is measured on. @throws UserError where one is not here */
  readonly engines: readonly EngineName[];
  /** An interpreter that has PyTorch. */
  readonly python: string;
  readonly onNote: (line: string) => void;
  /** A case is done. */
  readonly onResults: (results: readonly BenchResult[]) => void;
}

/** Something to be measured: who takes part is made when its turn comes. */
interface Case {
  readonly name: string;
  contenders(): Promise<Contender[]>;
  /** Additions and multiplications that it takes; undefined where they are not products of matrices. */
  readonly flops?: () => number;
}

/** The training step, the policy and the simulator, beside PyTorch where that is installed. */
export async function benchStep(options: StepBenchOptions): Promise<BenchReport> {
  const { only, python, seconds, onNote, onResults } = options;
  const wanted = ({ name }: Case) => !only || only.some((part) => name.includes(part));
  const all = [...casesOf(options, undefined)];
  if (!all.some(wanted))
    throw new UserError(
      `nothing to measure is called ${only?.join(' or ')}; there are ${all.map((c) => c.name).join(', ')}`,
    );
  const torch = await PyTorch.start(python);
  if (typeof torch === 'string') onNote(`no PyTorch, so no ratios: ${torch}`);
  const results: BenchResult[] = [];
  const probes = new CoreProbes();
  // The first times compile the loop.
  for (let k = 0; k < 20; k++) await probes.slowest_ms();
  const gate = new Gate(probes.slowest_ms);
  try {
    const peak = await fastestProduct(options.engines, gate);
    for (const c of casesOf(options, torch instanceof PyTorch ? torch : undefined)) {
      if (!wanted(c)) continue;
      const contenders = await startable(await c.contenders(), c.name, onNote);
      const measured = c.flops ? [...contenders, peak] : contenders;
      const rates = await interleave(measured, seconds * measured.length, gate);
      for (const contender of contenders) await contender.dispose?.();
      if (torch instanceof PyTorch) await torch.ask({ work: 'forget' });
      const rows = rowsOf(c.name, rates, peak, c.flops?.());
      onResults(rows);
      results.push(...rows);
    }
    await peak.dispose?.();
    const { taken, again, disturbed } = gate.turns;
    onNote(
      `${again} of ${taken} turns were taken again, since a core was slow around them${disturbed ? `; ${disturbed} count all the same` : ''}`,
    );
  } finally {
    await probes.close();
    if (torch instanceof PyTorch) torch.stop();
  }
  return { machine: machine(), results };
}

function* casesOf({ engines }: StepBenchOptions, torch: PyTorch | undefined): Generator<Case> {
  const threadCounts = availableParallelism() > 1 ? [1, availableParallelism()] : [1];
  for (const c of sacCases) {
    yield {
      name: nameOf(c),
      flops: () => flopsOfUpdate(c),
      contenders: async () => {
        const all: Contender[] = [];
        for (const threads of threadCounts) {
          for (const engine of engines) all.push(await sacContender(c, engine, threads));
          if (torch) for (const style of stylesFor(c)) all.push(sacComparator(torch, c, style, threads));
        }
        return all;
      },
    };
  }
  for (const preset of dreamerPresets) {
    yield {
      name: dreamerName(preset),
      flops: () => flopsOfDream(preset),
      contenders: async () => {
        const all: Contender[] = [];
        for (const threads of threadCounts) {
          for (const engine of engines) all.push(await dreamerContender(preset, engine, threads));
          if (torch) all.push(dreamerComparator(torch, preset, threads));
        }
        return all;
      },
    };
  }
  const styles: Style[] = ['cleanrl', 'lean', 'compile'];
  yield {
    name: inferenceName,
    flops: () => inferenceFlops,
    contenders: async () => [
      ...(await inferenceContenders()),
      ...(torch ? styles.map((style) => inferenceComparator(torch, style)) : []),
    ],
  };
  yield { name: simulationName, contenders: () => Promise.all(threadCounts.map(simulationContender)) };
}

/** Compiling takes PyTorch a minute for each case: it is done at the sizes that are learned with. */
function stylesFor({ hidden, batch }: { hidden: number; batch: number }): Style[] {
  return hidden === 256 && batch === 256 ? ['cleanrl', 'lean', 'compile'] : ['cleanrl', 'lean'];
}

/** Those that can do their work once; of the others a line is said. */
async function startable(
  contenders: readonly Contender[],
  name: string,
  onNote: (line: string) => void,
): Promise<Contender[]> {
  const able: Contender[] = [];
  for (const c of contenders) {
    try {
      await c.run();
      able.push(c);
    } catch (error) {
      if (!c.engine.startsWith('pytorch-')) throw error;
      onNote(`${name}: without ${c.engine} on ${c.threads} threads: ${(error as Error).message}`);
    }
  }
  return able;
}

/** What multiplies matrices fastest on one thread here: the peak that arithmetic is held against. */
async function fastestProduct(engines: readonly EngineName[], gate: Gate): Promise<Contender> {
  const candidates = await Promise.all(['onnx' as const, ...engines].filter(unique).map(productContender));
  const rates = await interleave(candidates, 0.5, gate);
  candidates.sort((a, b) => median(rates.get(b)!) - median(rates.get(a)!));
  const [fastest, ...others] = candidates;
  for (const other of others) await other.dispose?.();
  return fastest;
}

const unique = <T>(value: T, i: number, all: readonly T[]) => all.indexOf(value) === i;

/** A row for each contender, compared with the thread count at which a comparator is fastest. */
export function rowsOf(
  name: string,
  rates: Rates<Contender>,
  peak: Contender,
  flops: number | undefined,
): BenchResult[] {
  const best = (engine: string) =>
    [...rates].filter(([c]) => c.engine === engine).sort(([, a], [, b]) => median(b) - median(a))[0]?.[1];
  const cleanrl = best('pytorch-cleanrl');
  const lean = best('pytorch-lean');
  const products = rates.get(peak);
  return [...rates]
    .filter(([c]) => c !== peak)
    .map(([{ engine, threads, p999_us }, own]) => ({
      name,
      engine,
      threads,
      median_per_s: median(own),
      spread: spread(own),
      ratio_to_cleanrl: cleanrl ? pairedRatio(own, cleanrl) : null,
      ratio_to_lean: lean ? pairedRatio(own, lean) : null,
      fraction_of_peak:
        flops && products ? (pairedRatio(own, products) * flops) / (threads * PRODUCT_FLOP) : null,
      p999_us: p999_us?.() ?? null,
    }));
}

/** The engines that are here, without those that it would take minutes to wait for. */
export async function enginesToMeasure(names: readonly EngineName[]): Promise<EngineName[]> {
  const found = await Promise.all(names.filter((name) => name !== 'tfjs').map(findEngine));
  return found.filter((e) => e.available).map((e) => e.name);
}
