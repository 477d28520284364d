import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { RobotProcess } from '../control/robotProcess.js';
import type { Launch } from '../launch/launch.js';
import type { RecorderOptions } from '../recording/recorder.js';
import type { RecorderReport } from '../recording/recorderWorker.js';
import type { Robot } from '../robot/load.js';
import type { RecorderControl, RecordingAction } from '../ros/nodes/recorder.js';
import type { RecorderState } from '../ros/types.js';
import { Recording, type RecordingRequest } from './recording.js';

const NOTHING: RecorderState = { path: '', paused: false, episode: -1, messages: 0, bytes: 0, lost: 0 };

export interface RecordingDeskOptions {
  readonly launch: Launch;
  readonly robotFile: Robot;
  readonly robot: RobotProcess;
  /** Where recordings go that nobody named. */
  readonly folder: string;
  readonly episodes: RecorderOptions['episodes'];
  readonly notice: (line: string) => void;
}

/** The recordings of a run, one at a time: the one that a command asks for, and those begun while it goes on. */
export class RecordingDesk implements RecorderControl {
  /** The one that runs. */
  recording: Recording | undefined;
  private path = '';
  private begun = 0;
  private opening = false;

  constructor(private readonly options: RecordingDeskOptions) {}

  /** @throws UserError where one runs already, or the file cannot be made */
  async open(request: RecordingRequest): Promise<void> {
    if (this.recording || this.opening) throw new UserError(`${this.path} is being recorded`);
    const { launch, robotFile, robot, episodes, notice } = this.options;
    this.path = request.path;
    this.opening = true;
    try {
      this.recording = await Recording.open(launch, robotFile, robot, request, episodes, notice);
    } finally {
      this.opening = false;
    }
  }

  async start(): Promise<string> {
    await this.open({ path: join(this.options.folder, `recording-${this.begun}.mcap`) });
    this.begun++;
    return this.path;
  }

  async stop(): Promise<string> {
    const { path } = this;
    this.current();
    const { messages, bytes, lost } = (await this.close())!;
    return `${path}: ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB, ${lost} ticks lost`;
  }

  act(action: RecordingAction): void {
    this.current().act(action);
  }

  state(): RecorderState {
    if (!this.recording) return NOTHING;
    const { recorder, state } = this.recording;
    const { messages, bytes, lost } = recorder.status;
    return { path: this.path, paused: state.paused, episode: state.episode, messages, bytes, lost };
  }

  /** @returns whether the key is one of the recording's */
  press(key: string): boolean {
    return this.recording?.press(key) ?? false;
  }

  /** Ends the recording that runs. @returns what was written, if one did */
  async close(): Promise<RecorderReport | undefined> {
    const { recording } = this;
    this.recording = undefined;
    return recording?.close();
  }

  private current(): Recording {
    if (!this.recording) throw new Error('nothing is being recorded');
    return this.recording;
  }
}
