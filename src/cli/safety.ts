import { Command } from 'commander';
import { campaignCommand } from './safetyCampaign.js';
import { explainCommand } from './safetyExplain.js';
import { safetyLogCommand } from './safetyLog.js';

export function safetyCommand(): Command {
  return new Command('safety')
    .description('what keeps a robot safe: its limits, what they did, and whether they hold')
    .addCommand(explainCommand())
    .addCommand(safetyLogCommand())
    .addCommand(campaignCommand());
}
