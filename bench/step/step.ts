import { availableParallelism } from 'node:os';
import { machine } from '../measure/machine.js';
import type { BenchReport, BenchResult } from '../measure/result.js';
import { type Contender, interleave, median, pairedRatio, type Rates, spread } from '../measure/rounds.js';
import { PyTorch } from './pytorch.js';
import { type SacCase, sacContender } from './sac.js';

export interface StepBenchOptions {
  /** Only what has one of these in its name; everything where left out. */
  readonly only?: readonly string[];
  /** For each contender of each case. */
  readonly seconds: number;
  /** An interpreter that has PyTorch. */
  readonly python: string;
  readonly onNote: (line: string) => void;
  /** A case is done. */
  readonly onResults: (results: readonly BenchResult[]) => void;
}

const cases: readonly SacCase[] = [{ name: 'sac-256-b256', preset: 'sac', hidden: 256, batch: 256 }];

/** Measures the training step, beside PyTorch's where that is installed. */
export async function benchStep(options: StepBenchOptions): Promise<BenchReport> {
  const { only, python, seconds, onNote, onResults } = options;
  const torch = await PyTorch.start(python);
  if (typeof torch === 'string') onNote(`no PyTorch, so no ratios: ${torch}`);
  const results: BenchResult[] = [];
  try {
    for (const c of cases) {
      if (only && !only.some((part) => c.name.includes(part))) continue;
      const contenders: Contender[] = [];
      for (const threads of threadCounts()) {
        contenders.push(await sacContender(c, threads));
        if (torch instanceof PyTorch)
          contenders.push(torch.sac(c, 'cleanrl', threads), torch.sac(c, 'lean', threads));
      }
      const rates = await interleave(contenders, seconds * contenders.length);
      for (const contender of contenders) await contender.dispose?.();
      const rows = rowsOf(c.name, rates);
      onResults(rows);
      results.push(...rows);
    }
  } finally {
    if (torch instanceof PyTorch) torch.stop();
  }
  return { machine: machine(), results };
}

/** One thread, and all of them. */
function threadCounts(): number[] {
  const most = availableParallelism();
  return most > 1 ? [1, most] : [1];
}

/** A row for each contender, compared with the thread count at which a comparator is fastest. */
export function rowsOf(name: string, rates: Rates<Contender>): BenchResult[] {
  const best = (engine: string) =>
    [...rates].filter(([c]) => c.engine === engine).sort(([, a], [, b]) => median(b) - median(a))[0]?.[1];
  const cleanrl = best('pytorch-cleanrl');
  const lean = best('pytorch-lean');
  return [...rates].map(([{ engine, threads }, own]) => ({
    name,
    engine,
    threads,
    median_per_s: median(own),
    spread: spread(own),
    ratio_to_cleanrl: cleanrl ? pairedRatio(own, cleanrl) : null,
    ratio_to_lean: lean ? pairedRatio(own, lean) : null,
    fraction_of_peak: null,
  }));
}
