import { Command } from 'commander';
import { runCampaign } from '../../sim/campaign/campaign.js';
import { count } from './options.js';
import { Progress, printJson, printTable, styled } from './output.js';

const EXAMPLES = `
Examples:
  reverie safety campaign                               500 faults, about half a minute
  reverie safety campaign --faults 10000 --seed 7 --json | tail -n 1

Breaks sensors, commands, the clock, the loop, drives and joints of simulated robots at work, one fault at a time,
and checks from outside of the safety kernel that no command leaves the limits, that stops come in time and last,
and that transitions are marked as what they were. Exit codes: 0 no violation, 1 some.`;

export function campaignCommand(): Command {
  return new Command('campaign')
    .description('break things on simulated robots and check that they stay safe')
    .option('--faults <n>', 'how many', count, 500)
    .option('--seed <n>', 'draws them', (text) => Number.parseInt(text, 10), 1)
    .option('--fail-fast', 'end with the first violation')
    .option('--json', 'print one object instead of a table')
    .addHelpText('after', EXAMPLES)
    .action(
      async ({
        faults,
        seed,
        failFast,
        json,
      }: {
        faults: number;
        seed: number;
        failFast?: true;
        json?: true;
      }) => {
        const progress = new Progress('faults', faults);
        const result = await runCampaign({
          faults,
          seed,
          failFast,
          onProgress: (done) => progress.update(done),
        });
        progress.stop();
        const { examples, ...figures } = result;
        for (const example of examples) process.stderr.write(`${example}\n`);
        if (json) printJson(figures);
        else {
          const rows = Object.entries(result.by_fault).map(([kind, f]) => [
            kind,
            `${f.faults}`,
            `${f.violations}`,
          ]);
          printTable([['fault', 'times', 'violations'].map((t) => styled('bold', t)), ...rows.sort()]);
          process.stdout.write(
            `${result.violations} violations; latest stop after ${result.latest_stop_ms} ms\n`,
          );
        }
        if (result.violations > 0) process.exitCode = 1;
      },
    );
}
