import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { fromLeRobot } from '../../drivers/feetech/lerobot.js';
import { UserError } from '../base/errors.js';
import { loadRobot } from '../robot/load.js';
import { type GuidedOptions, guide } from './calibrateGuided.js';
import { printJson, printTable } from './output.js';
import { editRobotFile } from './robotFile.js';

const EXAMPLES = `
Guided, it switches torque off and asks you to hold the robot in a known pose, then to bring each joint to the ends of
its way. Enter takes a step, b goes one back, q ends; begun again, it goes on where it was. The file as it was is kept
beside it: robot.yaml.1.bak, robot.yaml.2.bak and so on. Ranges get narrower where the joint does not go as far,
never wider.

Examples:
  reverie calibrate robots/arm --port /dev/ttyACM0              signs, offsets and ranges, step by step
  reverie calibrate robots/arm --port /dev/ttyACM0 --limits     the same, and into the servos' own limit registers
  reverie calibrate robots/quadruped --bus left --port can0     one bus of several
  reverie calibrate robots/arm --import my_arm.json             what LeRobot's calibration of an SO-101 says`;

interface Options extends GuidedOptions {
  readonly import?: string;
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('bring the mapping of joints to drives in robot.yaml up to date')
    .argument('<robot>', 'name, or path of its folder')
    .addOption(new Option('--import <file>', 'calibration file of LeRobot').conflicts('port'))
    .option('--port <path>', 'of the bus: guides through a calibration by hand')
    .option('--bus <name>', 'which, where the robot has several')
    .addOption(new Option('--at <pose>', 'the known pose').choices(['home', 'zero']).default('home'))
    .option('--limits', "write the ranges into the drives' own limit registers too")
    .option('--fresh', 'from the beginning, whatever was recorded before')
    .option('--json', 'print one object at the end')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: Options) => {
      if (options.port !== undefined) await guide(name, { ...options, port: options.port });
      else if (options.import !== undefined) importCalibration(name, options.import, options.json);
      else throw new UserError('calibrate: expected --port for a calibration by hand, or --import');
    });
}

function importCalibration(name: string, file: string, json: true | undefined): void {
  const { spec, path } = loadRobot(name);
  if (spec.bus?.length !== 1) throw new UserError(`${path}: has no single bus to calibrate`);
  const joints = fromLeRobot(readJson(file), spec, file);
  const backup = editRobotFile(path, file, (document) => {
    for (const { joint, id, sign, offset_rad } of joints)
      for (const [key, value] of Object.entries({ id, sign, offset_rad }))
        document.setIn(['bus', 0, 'joints', joint, key], value);
  });
  if (json) printJson({ path, backup, joints });
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
