import { Command } from 'commander';
import { campaignCommand } from './safetyCampaign.js';
import { explainCommand } from './safetyExplain.js';
import { safetyLogCommand } from './safetyLog.js';

const EXAMPLES = `
Examples:
  reverie safety explain quadruped                    every limit and where it came from
  reverie safety log runs/NAME/safety.jsonl --verify  the log, and whether a line was changed
  reverie safety campaign --faults 500 --json         faults drawn at random, and what held
`;

export function safetyCommand(): Command {
  return new Command('safety')
    .description('what keeps a robot safe: its limits, what they did, and whether they hold')
    .addHelpText('after', EXAMPLES)
    .addCommand(explainCommand())
    .addCommand(safetyLogCommand())
    .addCommand(campaignCommand());
}
