import { UserError } from '../base/errors.js';
import type { RobotSpec } from '../robot/spec.js';
import { pick } from './pick.js';
import { reach } from './reach.js';
import { rise } from './rise.js';
import type { Task, TaskFactory } from './task.js';
import { walk } from './walk.js';

export const tasks: Readonly<Record<string, TaskFactory>> = { walk, rise, reach, pick };

/** @throws UserError for an unknown task, or a robot that cannot do it */
export function createTask(name: string, spec: RobotSpec): Task {
  const factory = tasks[name];
  if (!factory) throw new UserError(`no task "${name}"; there are ${Object.keys(tasks).join(', ')}`);
  return factory(spec);
}
