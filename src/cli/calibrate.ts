import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parseDocument } from 'yaml';
import { fromLeRobot } from '../../drivers/feetech/lerobot.js';
import { parseUserInput, UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import { loadRobot } from '../robot/load.js';
import { robotSchema } from '../robot/spec.js';
import { printJson, printTable } from './output.js';

const EXAMPLES = `
The file as it was is kept beside it: robot.yaml.1.bak, robot.yaml.2.bak and so on.

Examples:
  reverie calibrate robots/arm --import my_arm.json    what LeRobot's calibration of an SO-101 says`;

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('bring the mapping of joints to servos in robot.yaml up to date')
    .argument('<robot>', 'name, or path of its folder')
    .requiredOption('--import <file>', 'calibration file of LeRobot')
    .option('--json', 'print one object at the end')
    .addHelpText('after', EXAMPLES)
    .action(importCalibration);
}

function importCalibration(name: string, options: { readonly import: string; readonly json?: true }): void {
  const { spec, path } = loadRobot(name);
  if (spec.bus?.length !== 1) throw new UserError(`${path}: has no single bus to calibrate`);
  const joints = fromLeRobot(readJson(options.import), spec, options.import);
  const document = parseDocument(readFileSync(path, 'utf8'), { merge: true });
  for (const { joint, id, sign, offset_rad } of joints)
    for (const [key, value] of Object.entries({ id, sign, offset_rad }))
      document.setIn(['bus', 0, 'joints', joint, key], value);
  // Nothing is written that could not be read again.
  parseUserInput(robotSchema, document.toJS(), `${path} with ${options.import}`);
  const backup = freeName(path);
  copyFileSync(path, backup);
  writeFileAtomic(path, document.toString({ lineWidth: 0 }));
  if (options.json) printJson({ path, backup, joints });
  else {
    printTable([
      ['joint', 'id', 'sign', 'offset'],
      ...joints.map((j) => [j.joint, String(j.id), String(j.sign), `${j.offset_rad} rad`]),
    ]);
    process.stdout.write(`written to ${path}; as it was: ${backup}\n`);
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: cannot be read as JSON: ${(error as Error).message}`);
  }
}

function freeName(path: string): string {
  let n = 1;
  while (existsSync(`${path}.${n}.bak`)) n++;
  return `${path}.${n}.bak`;
}
