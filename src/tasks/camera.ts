import type { CameraSpec } from '../robot/cameraSpec.js';
import type { RobotSpec } from '../robot/spec.js';
import { type Mirror, observationSize, type Task } from './task.js';

/**
 * The same task with the camera's picture behind all that it observes, where the robot has a camera. A task itself
 * knows of none: what is learned from the picture is up to the learner.
 */
export function withCamera(task: Task, { camera }: RobotSpec): Task {
  if (!camera) return task;
  const { contract, mirror } = task;
  const { kind, width, height } = camera;
  const size = width * height;
  const at = observationSize(contract);
  const picture = { name: `camera_${kind}`, size, unit: '1', image: { height, width, channels: 1 } };
  return {
    ...task,
    contract: { ...contract, observation: [...contract.observation, picture] },
    mirror: mirror && {
      action: mirror.action,
      observation:
        mirror.observation && inMiddle(camera) ? withPicture(mirror.observation, camera) : undefined,
    },
    observe(moment, memory, out) {
      task.observe(moment, memory, out);
      out.set(moment.state.image, at);
    },
  };
}

/** Whether the camera is its own mirror image. Only on the base does it stay in the middle. */
function inMiddle({ link, position_m, rpy_rad: [roll, , yaw] }: CameraSpec): boolean {
  return link === undefined && position_m[1] === 0 && roll === 0 && yaw === 0;
}

/** What is left in the picture is right in a mirror. */
function withPicture({ from, sign }: Mirror, { width, height }: CameraSpec): Mirror {
  const pixels = Array.from({ length: width * height }, (_, p) => {
    const column = p % width;
    return from.length + p - column + (width - 1 - column);
  });
  return { from: [...from, ...pixels], sign: [...sign, ...pixels.map(() => 1)] };
}
