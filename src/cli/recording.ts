import { Worker } from 'node:worker_threads';
import type { CameraImage, CameraWorkerData } from '../../sim/cameraWorker.js';
import type { RobotProcess } from '../control/robotProcess.js';
import type { Camera, Launch } from '../launch/launch.js';
import { type Outcome, Recorder } from '../recording/recorder.js';
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
const OUTCOMES: Readonly<Record<string, Outcome>> = { '+': 'success', '-': 'failure', '*': 'discard' };
const PAUSE = '/';
export const RECORDING_KEYS =
  '+ success, - failure, * discard to do it again (of the episode that runs, else the last), / pause and go on';

/** A recorder with its cameras and its keys. */
export class Recording {
  private paused = false;
  private report: RecorderReport | undefined;

  private constructor(
    readonly recorder: Recorder,
    private readonly cameras: readonly Worker[],
    private readonly notice: (line: string) => void,
  ) {}

  /** @throws UserError where the file cannot be made */
  static async open(
    launch: Launch,
    robotFile: Robot,
    robot: RobotProcess,
    request: RecordingRequest,
    hasPolicy: boolean,
    notice: (line: string) => void,
  ): Promise<Recording> {
    const recorder = await Recorder.start(robot, {
      path: request.path,
      task: request.task ?? launch.task,
      operator: request.operator ?? '',
      episodes: hasPolicy ? 'control' : 'whole',
      reserve_bytes: request.reserve_bytes,
      onEnded: (reason) => notice(`the recording has ended: ${reason}; the robot goes on`),
    });
    const cameras = launch.cameras.map((camera) => watch(camera, robotFile, robot, recorder));
    return new Recording(recorder, cameras, notice);
  }

  /** @returns whether the key is one of the recording's */
  press(key: string): boolean {
    const { recorder, notice } = this;
    const outcome = OUTCOMES[key];
    if (outcome) {
      recorder.label(outcome);
      notice(`episode ${recorder.episode}: ${outcome}`);
    } else if (key === PAUSE) {
      this.paused = !this.paused;
      if (this.paused) recorder.pause();
      else recorder.resume();
      notice(this.paused ? 'recording is paused' : 'recording goes on');
    } else return false;
    return true;
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
