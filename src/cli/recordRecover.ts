import { Command } from 'commander';
import { recover } from '../recording/recover.js';
import { printJson } from './output.js';

const EXAMPLES = `
Copies all that can be read into a new file with a proper end. The original is never modified.

Examples:
  reverie record recover walk.mcap                      # writes walk.recovered.mcap
  reverie record recover walk.mcap --out good.mcap --json`;

export function recoverCommand(): Command {
  return new Command('recover')
    .description('make a good file of a recording that was cut off or damaged')
    .argument('<file>', 'recording')
    .option('--out <file>', 'new file (default: FILE.recovered.mcap)')
    .option('--json', 'print {"episodes","messages","lost_bytes","out"}')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: { out?: string; json?: true }) => {
      const result = await recover(file, options.out ?? `${file.replace(/\.mcap$/, '')}.recovered.mcap`);
      if (options.json) printJson(result);
      else
        process.stdout.write(
          `${result.out}: ${result.episodes} episodes, ${result.messages} messages; ${result.lost_bytes} bytes were lost\n`,
        );
    });
}
