import { Command } from 'commander';
import { type LoadResult, loadFleet } from '../../bench/fleet/load.js';
import { count, seconds } from './options.js';
import { printJson, printTable } from './output.js';

const EXAMPLES = `
Robots make transitions at the rate of a policy; their spools send them through a broker of their own (mosquitto
where it is installed) to "reverie learn", which stores and does not learn. Processor time is what the processes
used, per 1000 transitions. Exit code 1 where anything is lost, double or out of order.

Examples:
  reverie bench fleet-load
  reverie bench fleet-load --robots 50 --hz 50 --seconds 30 --json | tail -n 1`;

interface Options {
  readonly robots: number;
  readonly hz: number;
  readonly seconds: number;
  readonly json?: true;
}

const NOT_RIGHT = 1;

export function benchFleetLoadCommand(): Command {
  return new Command('fleet-load')
    .description("what many robots' experience costs broker, robots and learner")
    .option('--robots <n>', 'that share four processes', count, 200)
    .option('--hz <n>', 'transitions that each makes a second', count, 20)
    .option('--seconds <s>', 'that are measured', seconds, 20)
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json, ...options }: Options) => {
      const result = await loadFleet({ ...options, onNote: (line) => process.stderr.write(`${line}\n`) });
      if (json) printJson(result);
      else print(result);
      const { made, lost, duplicates, out_of_order } = result;
      if (made === 0 || lost + duplicates + out_of_order > 0) process.exitCode = NOT_RIGHT;
    });
}

function print({
  machine,
  broker,
  robots,
  hz,
  cpu_ms_per_1000_transitions: cost,
  ...counts
}: LoadResult): void {
  process.stdout.write(`${machine}\n${broker}, ${robots} robots at ${hz} Hz\n\n`);
  printTable([
    ...Object.entries(cost).map(([part, ms]) => [
      `${part}, ms of processor time per 1000 transitions`,
      String(ms),
    ]),
    ...Object.entries(counts).map(([what, n]) => [what.replaceAll('_', ' '), String(n)]),
  ]);
}
