import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { type CompileOptions, type Engine, type Program, UnsupportedError } from './engine.js';
import type { EngineName } from './engineNames.js';
import { type Graph, reachable } from './graph.js';
import { productFlops } from './native/layout.js';

/** An engine that is there, and what was found of it: its version. */
export interface Candidate {
  readonly name: EngineName;
  readonly engine: Engine;
  readonly found: string;
}

export interface Choice {
  readonly name: EngineName;
  readonly why: string;
}

/** The best engine, and what it made of the graph. */
export interface Made extends Choice {
  readonly program: Program;
}

/** Steps with less arithmetic in their products take so little time that any engine will do. */
const SMALL_FLOPS = 2e6;
/** How long each engine is tried, and how often at least: a machine that stands still for a moment must not decide for good. */
const TRIAL_MS = 150;
const LEAST_TRIALS = 3;

/** Where measurements are kept. */
const cacheFolder = (): string =>
  process.env.REVERIE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'reverie');

/**
 * The fastest of several engines for a graph: measured once on a machine and kept, so that the same graph runs on the
 * same engine ever after and gives the same bits. Where nothing can be kept nothing is measured: the first is taken.
 * @param candidates in the order in which they are preferred where they are equally good
 */
export async function fastestEngine(
  graph: Graph,
  candidates: readonly Candidate[],
  options: CompileOptions,
): Promise<Choice> {
  const [first] = candidates;
  if (candidates.length === 1) return { name: first.name, why: `the only one found (${brief(first)})` };
  const flops = [...graph.steps.values()].map(productFlops);
  if (Math.max(0, ...flops) < SMALL_FLOPS) return { name: first.name, why: 'the graph is small' };
  const path = join(cacheFolder(), `engine-${keyOf(graph, candidates, options)}.json`);
  const kept = readChoice(path, candidates);
  if (kept) return kept;
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    const choice = await measure(graph, candidates, options);
    // Whoever comes first decides: another process may have measured at the same time.
    writeFileSync(path, `${JSON.stringify(choice)}\n`, { flag: 'wx' });
    return choice;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const others = code === 'EEXIST' ? readChoice(path, candidates) : undefined;
    if (others) return others;
    if (!code) throw error;
    return {
      name: first.name,
      why: `nothing can be kept in ${cacheFolder()} (${code}), so nothing is measured`,
    };
  }
}

/**
 * Compiles a graph on the fastest engine that can run it.
 * @param onNote told which engines cannot
 * @throws UnsupportedError where none can
 */
export async function compileOnFastest(
  graph: Graph,
  candidates: readonly Candidate[],
  options: CompileOptions,
  onNote?: (line: string) => void,
): Promise<Made> {
  const choice = await fastestEngine(graph, candidates, options);
  const { engine } = candidates.find((c) => c.name === choice.name)!;
  try {
    return { ...choice, program: await engine.compile(graph, options) };
  } catch (error) {
    const others = candidates.filter((c) => c.name !== choice.name);
    if (!(error instanceof UnsupportedError) || others.length === 0) throw error;
    onNote?.(error.message);
    return compileOnFastest(graph, others, options, onNote);
  }
}

const brief = ({ found }: Candidate) => found.split('\n')[0];

function readChoice(path: string, candidates: readonly Candidate[]): Choice | undefined {
  try {
    const { name, why } = JSON.parse(readFileSync(path, 'utf8')) as Choice;
    return candidates.some((c) => c.name === name) ? { name, why } : undefined;
  } catch {
    return undefined;
  }
}

/** By the graph, the machine, the engines and their versions, and the threads. */
function keyOf(graph: Graph, candidates: readonly Candidate[], { threads = 1, spin_us = 0 }: CompileOptions) {
  const hash = createHash('sha256');
  const [cpu] = cpus();
  const engines = candidates.map((c) => `${c.name} ${c.found}`);
  hash.update(JSON.stringify([process.version, cpu?.model, cpus().length, threads, spin_us, engines]));
  for (const [id, step] of graph.steps) {
    hash.update(`step ${id}\n`);
    for (const t of reachable([...step.updates.values(), ...Object.values(step.outputs)]))
      hash.update(`${t.id} ${JSON.stringify(t.op)} ${t.inputs.map((i) => i.id)} ${t.shape}\n`);
  }
  return hash.digest('hex').slice(0, 24);
}

async function measure(
  graph: Graph,
  candidates: readonly Candidate[],
  options: CompileOptions,
): Promise<Choice> {
  const steps = [...graph.steps].sort(([, a], [, b]) => productFlops(b) - productFlops(a));
  const [id] = steps[0];
  const inputs = Object.fromEntries(
    [...graph.inputs].map(([name, { size }]) => [name, new Float32Array(size).fill(0.1)]),
  );
  const times: { name: EngineName; time_ms: number }[] = [];
  for (const { name, engine } of candidates) {
    const program = await engine.compile(graph, options).catch((error) => {
      if (error instanceof UnsupportedError) return undefined;
      throw error;
    });
    if (!program) {
      times.push({ name, time_ms: Number.POSITIVE_INFINITY });
      continue;
    }
    await program.run(id, inputs);
    let time_ms = Number.POSITIVE_INFINITY;
    const end = performance.now() + TRIAL_MS;
    for (let trial = 0; trial < LEAST_TRIALS || performance.now() < end; trial++) {
      const start = performance.now();
      await program.run(id, inputs);
      time_ms = Math.min(time_ms, performance.now() - start);
    }
    await program.dispose();
    times.push({ name, time_ms });
  }
  times.sort((a, b) => a.time_ms - b.time_ms);
  const time = (ms: number) => (ms < Number.POSITIVE_INFINITY ? `${ms.toFixed(1)} ms` : 'cannot run it');
  const shown = times.map((t) => `${t.name} ${time(t.time_ms)}`).join(', ');
  return { name: times[0].name, why: `the fastest for this graph: ${shown}` };
}
