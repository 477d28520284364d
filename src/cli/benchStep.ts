import { Command, InvalidArgumentError } from 'commander';
import { machine } from '../../bench/measure/machine.js';
import type { BenchResult } from '../../bench/measure/result.js';
import { profileSteps, type StepProfile } from '../../bench/step/profile.js';
import { benchStep, enginesToMeasure } from '../../bench/step/step.js';
import { type EngineName, engineNames, requireEngine } from '../tensor/index.js';
import { seconds } from './options.js';
import { figure, printJson, printTable } from './output.js';

const EXAMPLES = `
Names are PRESET-WIDTH-bBATCH for the training step (sac, droq, crossq; 256, 512, 1024; b256, b1024), inference-… for
the policy at batch 1, simulation-… for environment steps. Contenders take turns in short rounds. A row holds the
median rate per second, the 10–90 % quantiles, the ratios to CleanRL's computation and to a lean one in PyTorch at
their best thread counts (medians of paired rounds), and the share of the peak: arithmetic per second over what matrix
products alone reach on one thread, measured in the same rounds, times the threads; p99.9 is of single calls. Every
core runs a short loop before and after each turn: where one is slow, on a shared machine, the turn is taken again.

Examples:
  reverie bench step
  reverie bench step --only sac-256,inference --seconds 10 --python ~/torch/bin/python
  reverie bench step --only sac-256-b256 --engines onnx,tfjs
  reverie bench step --profile --only crossq-256-b256 --engines native
  reverie bench step --json | tail -n 1 | jq '.results[] | [.name, .engine, .ratio_to_lean]'`;

interface Options {
  readonly only?: readonly string[];
  readonly seconds: number;
  readonly engines?: readonly EngineName[];
  readonly python: string;
  readonly profile?: true;
  readonly json?: true;
}

export function benchStepCommand(): Command {
  return new Command('step')
    .description('updates of the learner, actions of a policy and steps of the simulator a second')
    .option('--only <names>', 'only what has one of these in its name, separated by commas', list)
    .option('--seconds <s>', 'for each contender of each case', seconds, 2)
    .option('--engines <names>', 'for the training step (default: all that are here but tfjs)', engines)
    .option(
      '--python <path>',
      'interpreter that has PyTorch (default: $REVERIE_PYTHON, else python3)',
      process.env.REVERIE_PYTHON ?? 'python3',
    )
    .option('--profile', 'what each instruction of a training step costs, on native and wasm, instead')
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json, engines, profile, ...options }: Options) => {
      for (const engine of engines ?? []) await requireEngine(engine);
      if (profile) {
        showProfiles(profileSteps(engines ?? engineNames, options.only), json);
        return;
      }
      const say = (line: string) => process.stderr.write(`${line}\n`);
      const report = await benchStep({
        ...options,
        engines: engines ?? (await enginesToMeasure(engineNames)),
        onNote: say,
        onResults: (rows) => say(`${rows[0].name}: ${rows.map(inShort).join(', ')}`),
      });
      if (json) printJson(report);
      else {
        process.stdout.write(`${report.machine}\n\n`);
        print(report.results);
      }
    });
}

function showProfiles(profiles: readonly StepProfile[], json: true | undefined): void {
  if (json) printJson({ machine: machine(), profiles });
  else
    for (const { name, engine, step, instructions } of profiles) {
      const total_us = instructions.reduce((sum, i) => sum + i.total_us, 0);
      process.stdout.write(
        `${name}, step ${step}, engine ${engine}, one thread: ${figure(total_us, 0)} µs\n\n`,
      );
      printTable([
        ['µs', 'times', 'what'],
        ...instructions.map((i) => [figure(i.total_us, 0), String(i.times), i.what]),
      ]);
      process.stdout.write('\n');
    }
}

const list = (text: string): string[] => text.split(',').filter((part) => part !== '');

function engines(text: string): EngineName[] {
  return list(text).map((name) => {
    const known = engineNames.find((engine) => engine === name);
    if (!known)
      throw new InvalidArgumentError(`No engine is called ${name}; there are ${engineNames.join(', ')}.`);
    return known;
  });
}

const inShort = ({ engine, threads, median_per_s }: BenchResult): string =>
  `${engine}×${threads} ${figure(median_per_s, 1)}`;

function print(results: readonly BenchResult[]): void {
  printTable([
    ['what', 'engine', 'threads', 'per s', '10–90 %', '× CleanRL', '× lean', 'of peak', 'p99.9'],
    ...results.map((r) => [
      r.name,
      r.engine,
      String(r.threads),
      figure(r.median_per_s, 1),
      r.spread.map((x) => figure(x, 1)).join('–'),
      figure(r.ratio_to_cleanrl, 2),
      figure(r.ratio_to_lean, 2),
      figure(r.fraction_of_peak === null ? null : 100 * r.fraction_of_peak, 0, '%'),
      figure(r.p999_us, 0, 'µs'),
    ]),
  ]);
}
