import { Command } from 'commander';
import { addonPath, buildAddon } from '../ros/transport/cycloneAddon.js';
import { printJson } from './output.js';

const EXAMPLES = `
Examples:
  reverie ros build-cyclone          after apt install cyclonedds-dev gcc libc6-dev
  reverie run arm.sim --ros cyclone  then shows the robot to ROS 2: on loopback, or where ros.interface says`;

export function rosCommand(): Command {
  const ros = new Command('ros').description('what it takes to meet ROS 2').addHelpText('after', EXAMPLES);
  ros
    .command('build-cyclone')
    .description('compile the addon for Cyclone DDS, with which a robot without ROS joins ROS 2 graphs')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { json?: true }) => {
      await buildAddon();
      if (json) printJson({ path: addonPath() });
      else process.stdout.write(`built ${addonPath()}\n`);
    });
  return ros;
}
