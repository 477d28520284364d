import { Command } from 'commander';
import { UserError } from '../base/errors.js';
import { verifySafetyLog } from '../control/safetyLog.js';
import { printJson } from './output.js';

const EXAMPLES = `
Examples:
  reverie safety log runs/run-walk-quadruped-…/safety.jsonl --verify
  reverie safety log safety.jsonl --verify --json | jq .hash

Exit codes: 0 nothing was changed, 1 something was: the message names the first line that does not follow.
Lines cut off the end cannot be seen in the file itself: keep the hash of the last line elsewhere for that.`;

export function safetyLogCommand(): Command {
  return new Command('log')
    .description('check the hash chain of a log of safety events')
    .argument('<file>', 'safety.jsonl of a run')
    .option('--verify', 'check the hash chain (what it does in any case)')
    .option('--json', 'print one object instead of a line')
    .addHelpText('after', EXAMPLES)
    .action((file: string, { json }: { json?: true }) => {
      try {
        const { events, hash } = verifySafetyLog(file);
        if (json) printJson({ file, intact: true, events, hash });
        else process.stdout.write(`${file}: ${events} events, none changed; last hash ${hash}\n`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        process.stderr.write(`${error.message}\n`);
        if (json) printJson({ file, intact: false, fault: error.message });
        process.exitCode = 1;
      }
    });
}
