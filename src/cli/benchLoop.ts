import { Command } from 'commander';
import { benchLoop, type LoopLateness } from '../../bench/loop/loop.js';
import { seconds } from './options.js';
import { figure, printJson, printTable } from './output.js';

const EXAMPLES = `
The control loop of the robot process runs the simulated quadruped under a walking policy; the same loop in plain
setInterval, in a process of its own, runs at the same time. Late is how long after its deadline a tick begins;
missed are ticks that came so late that the next one was due.

Examples:
  reverie bench loop
  reverie bench loop --seconds 600 --while-training         SAC learns on the other core
  reverie bench loop --while-training --json | tail -n 1    the line before the last is that of setInterval`;

export function benchLoopCommand(): Command {
  return new Command('loop')
    .description('how late the ticks of the control loop come')
    .option('--seconds <s>', 'how long', seconds, 20)
    .option('--while-training', 'while a SAC learner trains as fast as it can')
    .option('--json', 'print two objects at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { seconds: number; whileTraining?: true; json?: true }) => {
      const { loop, plain } = await benchLoop({
        seconds: options.seconds,
        whileTraining: options.whileTraining === true,
        onNote: (line) => process.stderr.write(`${line}\n`),
      });
      if (options.json) {
        printJson(plain);
        printJson(loop);
      } else print([loop, plain]);
    });
}

function print(rows: readonly LoopLateness[]): void {
  printTable([
    ['loop', 'rate', 'late p50', 'p99', 'p99.9', 'max, ms', 'missed'],
    ...rows.map((r) => [
      r.scheduler,
      figure(r.rate_hz, 0, 'Hz'),
      ...[r.late_p50_ms, r.late_p99_ms, r.late_p999_ms, r.late_max_ms].map((x) => figure(x, 3)),
      String(r.missed_ticks),
    ]),
  ]);
}
