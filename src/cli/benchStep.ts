import { Command } from 'commander';
import { benchStep } from '../../bench/step/step.js';
import { seconds } from './options.js';
import { figure, printJson, printTable } from './output.js';

const EXAMPLES = `
Each row is one contender: its median rate per second, the 10–90 % quantiles, its ratio to CleanRL's computation and
to a lean one in PyTorch at their best thread counts (medians of paired rounds), where PyTorch is installed.

Examples:
  reverie bench step
  reverie bench step --only sac-256 --seconds 10 --python ~/torch/bin/python
  reverie bench step --json | tail -n 1 | jq '.results[] | [.name, .engine, .ratio_to_lean]'`;

interface Options {
  readonly only?: string;
  readonly seconds: number;
  readonly python: string;
  readonly json?: true;
}

export function benchStepCommand(): Command {
  return new Command('step')
    .description('updates of the learner a second')
    .option('--only <names>', 'only what has one of these in its name, separated by commas')
    .option('--seconds <s>', 'for each contender of each case', seconds, 2)
    .option(
      '--python <path>',
      'interpreter that has PyTorch (default: $REVERIE_PYTHON, else python3)',
      process.env.REVERIE_PYTHON ?? 'python3',
    )
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async ({ only, json, ...options }: Options) => {
      const report = await benchStep({
        ...options,
        only: only?.split(','),
        onNote: (line) => process.stderr.write(`${line}\n`),
        onResults: ([{ name }]) => process.stderr.write(`${name} measured\n`),
      });
      if (json) printJson(report);
      else {
        process.stdout.write(`${report.machine}\n\n`);
        printTable([
          ['what', 'engine', 'threads', 'per s', '10–90 %', '× CleanRL', '× lean', 'of peak'],
          ...report.results.map((r) => [
            r.name,
            r.engine,
            String(r.threads),
            figure(r.median_per_s, 1),
            r.spread.map((x) => figure(x, 1)).join('–'),
            figure(r.ratio_to_cleanrl, 2),
            figure(r.ratio_to_lean, 2),
            figure(r.fraction_of_peak && 100 * r.fraction_of_peak, 0, '%'),
          ]),
        ]);
      }
    });
}
