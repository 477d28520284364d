import { Command } from 'commander';
import { rolloutBench } from '../../bench/fleet/rollout.js';
import { count } from './options.js';
import { printJson, printTable } from './output.js';

const EXAMPLES = `
The shipped walking policy goes out signed and in pieces; each robot verifies, admits, keeps and loads it.

Examples:
  reverie bench fleet-policy
  reverie bench fleet-policy --robots 20 --rounds 1 --json | tail -n 1`;

interface Options {
  readonly robots: number;
  readonly rounds: number;
  readonly json?: true;
}

export function benchFleetPolicyCommand(): Command {
  return new Command('fleet-policy')
    .description('how soon every robot of a fleet runs a policy that the learner offers')
    .option('--robots <n>', 'that share four processes', count, 100)
    .option('--rounds <n>', 'of another policy each', count, 5)
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json, ...options }: Options) => {
      const result = await rolloutBench({ ...options, onNote: (line) => process.stderr.write(`${line}\n`) });
      if (json) printJson(result);
      else
        printTable([
          [result.machine, ''],
          ['broker', result.broker],
          ['robots', String(result.robots)],
          ['policy', `${result.policy_bytes} bytes`],
          ['seconds until the last runs it', result.seconds.join(', ')],
        ]);
    });
}
