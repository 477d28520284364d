import { Worker } from 'node:worker_threads';
import type { CameraImage, CameraWorkerData } from '../../sim/cameraWorker.js';
import type { RobotProcess } from '../control/robotProcess.js';
import type { RecordingAction, RecordingState } from '../dashboard/protocol.js';
import type { Camera, Launch } from '../launch/launch.js';
import { Recorder, type RecorderOptions } from '../recording/recorder.js';
import type { RecorderReport } from '../recording/recorderWorker.js';
import type { Robot } from '../robot/load.js';

/** What is to be recorded of a run, and where. */
export interface RecordingRequest {
  readonly path: string;
  /** In words; the task's name where not given. */
  readonly task?: string;
  readonly operator?: string;
  readonly reserve_bytes?: number;
}

/** Characters that neither a keyboard's hand nor a dashboard takes. */
const KEYS: Readonly<Record<string, RecordingAction>> = {
  '+': 'success',
  '-': 'failure',
  '*': 'discard',
  '/': 'go_on',
};
export const RECORDING_KEYS =
  '+ success, - failure, * discard to do it again (of the episode that runs, else the last), / pause and go on';
/** Where a person leads and no policy makes episodes. */
export const OPERATOR_KEYS =
  'an episode ends with + success, - failure or * discard, and the next begins with /, which pauses while one runs';

/** A recorder with its cameras and its keys. */
export class Recording {
  private paused = false;
  private report: RecorderReport | undefined;

  private constructor(
    readonly recorder: Recorder,
    private readonly cameras: readonly Worker[],
    private readonly byOperator: boolean,
    private readonly notice: (line: string) => void,
  ) {}

  /** @throws UserError where the file cannot be made */
  static async open(
    launch: Launch,
    robotFile: Robot,
    robot: RobotProcess,
    request: RecordingRequest,
    episodes: RecorderOptions['episodes'],
    notice: (line: string) => void,
  ): Promise<Recording> {
    const recorder = await Recorder.start(robot, {
      path: request.path,
      task: request.task ?? launch.task,
      operator: request.operator ?? '',
      episodes,
      reserve_bytes: request.reserve_bytes,
      onEnded: (reason) => notice(`the recording has ended: ${reason}; the robot goes on`),
    });
    const cameras = launch.cameras.map((camera) => watch(camera, robotFile, robot, recorder));
    const byOperator = episodes === 'operator';
    notice(`recording to ${request.path}; ${byOperator ? OPERATOR_KEYS : RECORDING_KEYS}`);
    return new Recording(recorder, cameras, byOperator, notice);
  }

  /** @returns whether the key is one of the recording's */
  press(key: string): boolean {
    const action = KEYS[key];
    if (action) this.act(action);
    return action !== undefined;
  }

  /** `go_on`: begins the next episode where the operator says what is one, else pauses and goes on. */
  act(action: RecordingAction): void {
    const { recorder, byOperator, notice } = this;
    if (action !== 'go_on') {
      const ran = recorder.running;
      recorder.label(action);
      const next = ran && !recorder.running && byOperator ? '; / begins the next' : '';
      notice(`episode ${recorder.episode}: ${action}${next}`);
    } else if (byOperator && !recorder.running) {
      recorder.next();
      notice(`episode ${recorder.episode} begins`);
    } else {
      this.paused = !this.paused;
      if (this.paused) recorder.pause();
      else recorder.resume();
      notice(this.paused ? 'recording is paused' : 'recording goes on');
    }
  }

  /** For the dashboard. */
  get state(): RecordingState {
    const { recorder, byOperator, paused } = this;
    const { episode, running, status } = recorder;
    return { episode, running, paused, byOperator, messages: status.messages };
  }

  /** Ends file and cameras; safe to be called again. */
  async close(): Promise<RecorderReport> {
    for (const camera of this.cameras) camera.postMessage('stop');
    await Promise.all(this.cameras.map((c) => new Promise((resolve) => c.once('exit', resolve))));
    this.report ??= await this.recorder.stop();
    return this.report;
  }
}

function watch(camera: Camera, robotFile: Robot, robot: RobotProcess, recorder: Recorder): Worker {
  const { name, rate_hz, ...view } = camera;
  const workerData: CameraWorkerData = { robotPath: robotFile.path, buffers: robot.shared, view, rate_hz };
  const worker = new Worker(new URL('../../sim/cameraWorker.js', import.meta.url), { workerData });
  worker.on('message', ({ time_s, rgb }: CameraImage) => {
    recorder.image(name, view.width, view.height, rgb, time_s);
  });
  return worker;
}
