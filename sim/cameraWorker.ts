import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Observer } from '../src/control/observer.js';
import type { RobotBuffers } from '../src/control/sharedMemory.js';
import { loadRobot } from '../src/robot/load.js';
import { type CameraView, SimCamera } from './camera.js';
import { loadMujoco } from './mujoco.js';

/** Looks at a robot process from a thread of its own and posts a picture at its rate. */
export interface CameraWorkerData {
  readonly robotPath: string;
  readonly buffers: RobotBuffers;
  readonly view: CameraView;
  readonly rate_hz: number;
}

export interface CameraImage {
  /** When the pose that it shows was measured, on the robot's clock. */
  readonly time_s: number;
  readonly rgb: Uint8Array<ArrayBuffer>;
}

const { robotPath, buffers, view, rate_hz } = workerData as CameraWorkerData;
const robot = loadRobot(robotPath);
const camera = new SimCamera(await loadMujoco(), robot, view);
const observer = new Observer(robot.spec, buffers);
let stopping = false;
parentPort!.on('message', () => {
  stopping = true;
});
for (let due_ms = performance.now(); !stopping; ) {
  if (observer.update()) {
    const { state, truth, estimate } = observer;
    const known = Number.isFinite(truth.position_m[0]);
    const rgb = camera.render(state, known ? truth.position_m : estimate.position_m);
    parentPort!.postMessage({ time_s: state.time_s, rgb } satisfies CameraImage, [rgb.buffer]);
  }
  due_ms = Math.max(due_ms + 1e3 / rate_hz, performance.now());
  await setTimeout(due_ms - performance.now());
}
camera.close();
parentPort!.close();
