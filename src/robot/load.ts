import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseUserInput } from '../base/errors.js';
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
  const spec = parseUserInput(robotSchema, readYaml(path), path);
  return { spec, path, modelPath: join(dirname(path), spec.model) };
}
