import type { Command } from 'commander';
import type { RecorderReport } from '../recording/recorderWorker.js';
import type { RecordingRequest } from './recording.js';

/** Of commands that record beside what they do. */
export interface RecordingOptions {
  readonly record?: string;
  readonly task?: string;
  readonly operator?: string;
  readonly reserveMb?: string;
}

/** What a run records beside what it does. */
export interface Recorded {
  readonly recording?: RecordingRequest;
  /** Told what was recorded, once the file is closed. */
  readonly onRecorded?: (report: RecorderReport) => void;
}

export function addRecordingOptions(command: Command): Command {
  return command
    .option('--record <file>', 'records it, as "reverie record" does; the file must not be there yet')
    .option('--task <text>', "for the recording: what is done, in words (default: the task's name)")
    .option('--operator <name>', 'for the recording: who is at the robot')
    .option('--reserve-mb <mb>', 'disk space that stays free: the recording ends before, the robot does not');
}

/** What a run is given so that it records what is asked for, if anything is. */
export function recordingBeside(options: RecordingOptions): Recorded {
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
