import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { type Document, parseDocument } from 'yaml';
import { parseUserInput, UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import { type RobotSpec, robotSchema } from '../robot/spec.js';

/**
 * Changes a `robot.yaml`, with its comments where they are; the file as it was stays beside it.
 * @param reason what the change comes from, for messages
 * @param check told what the file will say, before it is written
 * @returns path of the backup
 * @throws UserError where the changed file could not be read again; nothing is written then
 */
export function editRobotFile(
  path: string,
  reason: string,
  edit: (document: Document) => void,
  check: (spec: RobotSpec) => void = () => {},
): string {
  const document = parseDocument(readFileSync(path, 'utf8'), { merge: true });
  if (document.errors.length > 0)
    throw new UserError(`${path}: not valid YAML: ${document.errors[0].message}`);
  edit(document);
  check(parseUserInput(robotSchema, document.toJS(), `${path} with ${reason}`));
  const backup = freeName(path);
  copyFileSync(path, backup);
  writeFileAtomic(path, document.toString({ lineWidth: 0 }));
  return backup;
}

function freeName(path: string): string {
  let n = 1;
  while (existsSync(`${path}.${n}.bak`)) n++;
  return `${path}.${n}.bak`;
}
