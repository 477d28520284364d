import type { RobotSpec } from '../robot/spec.js';
import { createTask } from '../tasks/index.js';
import type { Task } from '../tasks/task.js';
import type { Launch } from './launch.js';

/** The task as a launch file sets it. @throws UserError naming file, parameter and what was expected */
export function taskOf({ task, parameters, path }: Launch, spec: RobotSpec): Task {
  return createTask(task, spec, parameters, `${path}: parameters`);
}
