import { Command } from 'commander';
import { UserError } from '../base/errors.js';
import { loadLaunch } from '../launch/launch.js';
import type { RecorderReport } from '../recording/recorderWorker.js';
import { seconds } from './options.js';
import { printJson } from './output.js';
import { RECORDING_KEYS } from './recording.js';
import { recoverCommand } from './recordRecover.js';
import { replayCommand } from './recordReplay.js';
import { type RunOptions, runLaunch } from './run.js';

const EXAMPLES = `
The file is MCAP with ROS 2 messages: joints, commands, IMU, transforms, the safety kernel's state, policy steps,
camera pictures, and marks where episodes begin and end. Keys while it records: ${RECORDING_KEYS}.

Examples:
  reverie record quadruped.sim --policy quadruped-walk --seconds 20 --out walk.mcap
  reverie record arm-table.sim --task "put the peg onto the block" --operator anna --out pick.mcap
  reverie record recover walk.mcap --json              # after a crash: {"episodes","messages","lost_bytes"}
  reverie record replay walk.mcap --episode 0 quadruped.sim
  reverie dataset export pick.mcap --out pick          # to LeRobot`;

interface RecordOptions extends RunOptions {
  readonly out?: string;
  readonly task?: string;
  readonly operator?: string;
  readonly reserveMb?: string;
  readonly learner: boolean;
  readonly json?: true;
}

export function recordCommand(): Command {
  return new Command('record')
    .description('record a robot while it runs; recover and replay recordings')
    .argument('<launch>', 'launch file, or name of one in launch/')
    .option('--out <file>', 'recording, which must not be there yet')
    .option('--seconds <s>', 'end after this long', seconds)
    .option('--policy <bundle>', 'policy to start with, by name or folder')
    .option('--task <text>', "what is done, in words (default: the task's name)")
    .option('--operator <name>', 'who is at the robot')
    .option('--learner', 'with the learner of the launch file', false)
    .option('--reserve-mb <mb>', 'disk space that stays free: the recording ends before, the robot does not')
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(record)
    .addCommand(recoverCommand())
    .addCommand(replayCommand());
}

async function record(given: string, options: RecordOptions): Promise<void> {
  const { out } = options;
  // Not a required option: commander would ask for it before recover and replay too.
  if (!out) throw new UserError('record needs --out FILE');
  const launch = loadLaunch(given);
  let report: RecorderReport | undefined;
  const summary = await runLaunch(
    { ...launch, learner: { ...launch.learner, enabled: launch.learner.enabled && options.learner } },
    {
      policy: options.policy,
      seconds: options.seconds,
      dashboard: false,
      recording: {
        path: out,
        task: options.task,
        operator: options.operator,
        reserve_bytes: options.reserveMb === undefined ? undefined : 1e6 * Number(options.reserveMb),
      },
      onRecorded: (r) => {
        report = r;
      },
    },
  );
  const result = {
    out,
    seconds: summary.seconds,
    messages: report?.messages ?? 0,
    bytes: report?.bytes ?? 0,
    lost: report?.lost ?? 0,
    recorder_cpu_s: Number((report?.cpu_s ?? 0).toFixed(2)),
    ticks: summary.ticks,
    missed_ticks: summary.missed_ticks,
    late_p999_ms: summary.late_p999_ms,
  };
  if (options.json) printJson(result);
  else
    process.stdout.write(
      `${result.out}: ${result.messages} messages, ${(result.bytes / 1e6).toFixed(1)} MB, ${result.lost} ticks lost\n`,
    );
}
