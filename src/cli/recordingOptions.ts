import type { Command } from 'commander';
import type { RunOptions } from './run.js';

/** Of commands that record beside what they do. */
export interface RecordingOptions {
  readonly record?: string;
  readonly task?: string;
  readonly operator?: string;
  readonly reserveMb?: string;
}

export function addRecordingOptions(command: Command): Command {
  return command
    .option('--record <file>', 'records it, as "reverie record" does; the file must not be there yet')
    .option('--task <text>', "for the recording: what is done, in words (default: the task's name)")
    .option('--operator <name>', 'for the recording: who is at the robot')
    .option('--reserve-mb <mb>', 'disk space that stays free: the recording ends before, the robot does not');
}

/** What a run is given so that it records what is asked for, if anything is. */
export function recordingBeside(options: RecordingOptions): Pick<RunOptions, 'recording' | 'onRecorded'> {
  const { record: path, task, operator, reserveMb } = options;
  if (path === undefined) return {};
  return {
    recording: {
      path,
      task,
      operator,
      reserve_bytes: reserveMb === undefined ? undefined : 1e6 * Number(reserveMb),
    },
    onRecorded: ({ messages, bytes, lost }) => {
      process.stderr.write(
        `${path}: ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB, ${lost} ticks lost\n`,
      );
    },
  };
}
