import { Command, InvalidArgumentError } from 'commander';
import { type CampaignResult, runCampaign } from '../../sim/campaign/campaign.js';
import { Progress, printJson, printTable, styled } from './output.js';
import { killProcess, type ProcessFault, processKinds } from './processFaults.js';

const EXAMPLES = `
Examples:
  reverie safety campaign                               500 faults, about half a minute
  reverie safety campaign --faults 10000 --seed 7 --json | tail -n 1
  reverie safety campaign --faults 0 --kills 8          learner, broker, dashboard, simulated drives, each twice

Breaks sensors, commands, the clock, the loop, drives and joints of simulated robots at work, one fault at a time,
and checks from outside of the safety kernel that no command leaves the limits, that stops come in time and last,
and that transitions are marked as what they were. Exit codes: 0 no violation, 1 some.`;

export function campaignCommand(): Command {
  return new Command('campaign')
    .description('break things on simulated robots and check that they stay safe')
    .option('--faults <n>', 'how many', number, 500)
    .option('--kills <n>', 'processes around running robots that are killed besides', number, 0)
    .option('--seed <n>', 'draws them', (text) => Number.parseInt(text, 10), 1)
    .option('--fail-fast', 'end with the first violation')
    .option('--json', 'print one object instead of a table')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      const { faults, seed, failFast, kills, json } = options;
      const progress = new Progress('faults', faults + kills);
      const result = await runCampaign({
        faults,
        seed,
        failFast,
        onProgress: (done) => progress.update(done),
      });
      const killed: ProcessFault[] = [];
      for (let k = 0; k < kills; k++) {
        killed.push(await killProcess(processKinds[k % processKinds.length]));
        progress.update(faults + k + 1);
      }
      progress.stop();
      report(withKills(result, killed), json === true);
    });
}

interface Options {
  readonly faults: number;
  readonly seed: number;
  readonly failFast?: true;
  readonly kills: number;
  readonly json?: true;
}

function withKills(result: CampaignResult, killed: readonly ProcessFault[]): CampaignResult {
  const by_fault = { ...result.by_fault };
  for (const { kind, violations } of killed) {
    const before = by_fault[kind] ?? { faults: 0, violations: 0 };
    by_fault[kind] = {
      faults: before.faults + 1,
      violations: before.violations + Math.sign(violations.length),
    };
  }
  const examples = killed.flatMap(({ kind, violations }) => violations.map((v) => `${kind}: ${v}`));
  return {
    ...result,
    faults: result.faults + killed.length,
    violations: result.violations + killed.filter(({ violations }) => violations.length > 0).length,
    by_fault,
    examples: [...result.examples, ...examples],
  };
}

function report({ examples, ...figures }: CampaignResult, json: boolean): void {
  for (const example of examples) process.stderr.write(`${example}\n`);
  if (json) printJson(figures);
  else {
    const rows = Object.entries(figures.by_fault).map(([kind, f]) => [
      kind,
      `${f.faults}`,
      `${f.violations}`,
    ]);
    printTable([['fault', 'times', 'violations'].map((t) => styled('bold', t)), ...rows.sort()]);
    process.stdout.write(
      `${figures.violations} violations; latest stop after ${figures.latest_stop_ms} ms\n`,
    );
  }
  if (figures.violations > 0) process.exitCode = 1;
}

/** Zero too. */
function number(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a number of faults.');
  return Number(text);
}
