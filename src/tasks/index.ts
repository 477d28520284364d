import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import type { RobotSpec } from '../robot/spec.js';
import { withCamera } from './camera.js';
import { pick } from './pick.js';
import { reach } from './reach.js';
import { rise } from './rise.js';
import type { Task, TaskFactory, TaskParameters } from './task.js';
import { walk } from './walk.js';

export const tasks: Readonly<Record<string, TaskFactory>> = {
  walk,
  rise,
  reach,
  pick: fixed(pick),
};

/** A task in which nothing can be set. */
function fixed(task: (spec: RobotSpec) => Task): TaskFactory {
  return (spec, given = {}, where = 'task parameters') => {
    parseUserInput(z.strictObject({}), given, where);
    return task(spec);
  };
}

/**
 * The task on this robot: where it has a camera, observations end with its picture.
 * @param where the parameters come from, for messages
 * @throws UserError for an unknown task, a robot that cannot do it, or parameters that the task does not have
 */
export function createTask(name: string, spec: RobotSpec, parameters?: TaskParameters, where?: string): Task {
  const factory = tasks[name];
  if (!factory) throw new UserError(`no task "${name}"; there are ${Object.keys(tasks).join(', ')}`);
  return withCamera(factory(spec, parameters, where), spec);
}
