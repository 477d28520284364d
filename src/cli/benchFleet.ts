import { Command } from 'commander';
import { killFleet } from '../../bench/fleet/kills.js';
import { count, seconds, seed } from './options.js';
import { printJson, printTable } from './output.js';

const EXAMPLES = `
Robots (without bodies, but with a robot's spool and sender), a broker (mosquitto where it is installed) and
"reverie learn", each a process, are killed by SIGKILL at random moments and started again. In the end every
transition that was made has to be in the learner's replay exactly once and in order. Exit code 1 where it is not.

Examples:
  reverie bench fleet
  reverie bench fleet --robots 10 --seconds 600 --kills 50 --seed 1 --json | tail -n 1`;

interface Options {
  readonly robots: number;
  readonly seconds: number;
  readonly kills: number;
  readonly seed: number;
  readonly json?: true;
}

const NOT_RIGHT = 1;

export function benchFleetCommand(): Command {
  return new Command('fleet')
    .description('is anything lost when robots, broker and learner are killed again and again?')
    .option('--robots <n>', 'each at 50 transitions a second', count, 4)
    .option('--seconds <s>', 'for which they make transitions', seconds, 60)
    .option('--kills <n>', 'at random moments', count, 10)
    .option('--seed <n>', 'of moments and victims', seed, 1)
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json, ...options }: Options) => {
      const result = await killFleet({ ...options, onNote: (line) => process.stderr.write(`${line}\n`) });
      if (json) printJson(result);
      else printTable(Object.entries(result).map(([what, n]) => [what.replaceAll('_', ' '), String(n)]));
      const { made, lost, duplicates, out_of_order } = result;
      if (made === 0 || lost + duplicates + out_of_order > 0) process.exitCode = NOT_RIGHT;
    });
}
