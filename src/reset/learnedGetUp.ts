import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { packageRoot } from '../base/files.js';
import { admit } from '../policy/admission.js';
import { readBundle } from '../policy/bundle.js';
import { loadPolicy } from '../policy/inference.js';
import type { RobotSpec } from '../robot/spec.js';
import { createTask } from '../tasks/index.js';
import { GetUpPolicy } from './getUpPolicy.js';

const TASK = 'rise';

/**
 * A robot's way of getting up that it learned.
 * @param given bundle of task `rise`, by name or folder; where left out, the one that ships for this robot
 * @returns undefined where none is given and none ships
 * @throws UserError where it is not admitted for this robot
 */
export function learnedGetUp(spec: RobotSpec, given?: string): GetUpPolicy | undefined {
  const own = `${spec.name}-${TASK}`;
  if (given === undefined && !existsSync(join(packageRoot, 'policies', own))) return undefined;
  const bundle = readBundle(given ?? own);
  const task = createTask(TASK, spec);
  const admission = admit(bundle.manifest, { spec, contract: task.contract });
  if (!admission.admitted)
    throw new UserError(`${bundle.path} is refused for getting up: ${admission.reasons.join('; ')}`);
  return new GetUpPolicy(spec, task, loadPolicy(bundle));
}
