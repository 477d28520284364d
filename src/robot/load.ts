import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseUserInput, UserError } from '../base/errors.js';
import { findNamed, readYaml } from '../base/files.js';
import { type RobotSpec, robotSchema } from './spec.js';

export interface Robot {
  readonly spec: RobotSpec;
  /** Absolute path of `robot.yaml`, for messages. */
  readonly path: string;
  /** Absolute path of the MJCF or URDF. */
  readonly modelPath: string;
}

/**
 * Loads a robot by name (`robots/NAME/robot.yaml` of this package) or by path, of the folder or the file.
 * @throws UserError naming file, field, value and what was expected
 */
export function loadRobot(nameOrPath: string): Robot {
  let path = findNamed('robots', nameOrPath, ['{}/robot.yaml']);
  if (statSync(path).isDirectory()) path = join(path, 'robot.yaml');
  const content = readYaml(path);
  const spec = withJointNames(content, () => parseUserInput(robotSchema, content, path));
  return { spec, path, modelPath: join(dirname(path), spec.model) };
}

/** zod counts joints; people know them by name. */
function withJointNames<T>(content: unknown, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { joints } = content as { joints?: { name?: unknown }[] };
    const named = (at: string, j: string) => {
      const name = joints?.[Number(j)]?.name;
      return typeof name === 'string' ? `${at} ("${name}")` : at;
    };
    throw new UserError(error.message.replace(/\bjoints\[(\d+)\][\w.[\]]*/g, named));
  }
}
