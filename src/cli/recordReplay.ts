import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../base/errors.js';
import { RobotProcess } from '../control/robotProcess.js';
import { loadLaunch } from '../launch/launch.js';
import { readRecording } from '../recording/read.js';
import { Replayer } from '../recording/replayer.js';
import { loadRobot } from '../robot/load.js';
import { driverFor } from './drivers.js';
import { Ending } from './ending.js';
import { operator } from './operator.js';
import { printJson } from './output.js';

const EXAMPLES = `
The recorded targets are asked for in the name of a person, so that all limits of one are on; where the recording was
faster than those, it waits for the robot. It begins with an eased motion to the first pose.

Examples:
  reverie record replay pick.mcap --episode 0 arm-table.sim
  reverie record replay pick.mcap --episode 2 --speed 0.5 launch/arm.serial.yaml --json`;

const index = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Expected 0 or more.');
  return value;
};
const share = (text: string) => {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('Expected more than 0 and at most 1.');
  return value;
};

export function replayCommand(): Command {
  return new Command('replay')
    .description('let a robot do again what was recorded, with an eased start and all limits on')
    .argument('<file>', 'recording')
    .argument('<launch>', 'launch file of the robot, or name of one in launch/')
    .requiredOption('--episode <n>', 'number of the episode', index)
    .option('--speed <share>', 'of the recorded speed', share, 1)
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(replay);
}

async function replay(
  file: string,
  given: string,
  options: { episode: number; speed: number; json?: true },
): Promise<void> {
  const launch = loadLaunch(given);
  const robotFile = loadRobot(launch.robot);
  const { spec } = robotFile;
  const { about, episodes } = await readRecording(file);
  const episode = episodes.find((e) => e.number === options.episode);
  if (!episode)
    throw new UserError(
      `${file}: no episode ${options.episode}; there are ${episodes.map((e) => e.number).join(', ')}`,
    );
  const joints = spec.joints.map((j) => j.name).join(', ');
  if (about.joints.join(', ') !== joints)
    throw new UserError(
      `${file}: recorded with joints ${about.joints.join(', ')}; ${spec.name} has ${joints}`,
    );
  const notice = (line: string) => process.stderr.write(`${line}\n`);
  const robot = await RobotProcess.start({
    spec,
    driver: driverFor(launch, robotFile),
    task: launch.task,
    explore: 0,
    seed: launch.seed,
    fifo: launch.realtime.fifo,
    onNotice: notice,
  });
  const ending = new Ending();
  robot.failures.subscribe((error) => ending.fail(error));
  const letGo = operator({
    stop: () => ending.end('stopped'),
    emergencyStop: () => {
      robot.emergencyStop();
      ending.end('emergency stop');
    },
  });
  const replayer = new Replayer(robot, episode, options.speed);
  try {
    if (!(await robot.arm()))
      throw new UserError(`the robot did not arm: ${robot.status().latched ?? 'no samples'}`);
    void replayer.run(notice).then(() => ending.end('done'), ending.fail);
    const how = await ending.happened;
    replayer.stop();
    const { result } = replayer;
    await robot.release();
    await robot.requestStop();
    const { safety_events } = robot.status();
    if (how === 'emergency stop') process.exitCode = 3;
    if (options.json) printJson({ ...result, how, safety_events });
    else
      process.stdout.write(
        `${how}: ${result.seconds.toFixed(1)} s replayed in ${result.took_s.toFixed(1)} s, off by ${result.mean_error_rad.toFixed(3)} rad on average\n`,
      );
  } finally {
    replayer.stop();
    await robot.close();
    letGo();
  }
}
