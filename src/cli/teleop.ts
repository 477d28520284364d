import { Command, Option } from 'commander';
import { UserError } from '../base/errors.js';
import { loadLaunch } from '../launch/launch.js';
import { port, seconds } from './options.js';
import { printJson } from './output.js';
import { addRecordingOptions, type RecordingOptions, recordingBeside } from './recordingOptions.js';
import { type RunOptions, runLaunch } from './run.js';
import { type Device, gamepad, keyboard, leader } from './teleopDevices.js';

const EXAMPLES = `
Examples:
  reverie teleop arm.sim --no-policy --device keyboard       lead the tool of a simulated arm by w a s d r f
  reverie teleop arm.sim --device gamepad                    start: take over from the policy, and give back
  reverie teleop launch/arm.serial.yaml --no-policy --device leader --port /dev/ttyACM1
  reverie teleop quadruped.sim --policy quadruped-walk --device keyboard
  reverie teleop arm-table.sim --no-policy --device gamepad --record pick.mcap --task "put the peg onto the block"

The robot moves only while the deadman switch is held, and at reduced speed: a key that repeats, the left
shoulder button of a gamepad; a leader arm moves it for as long as it answers. T takes over and gives back
(Start on a gamepad); without a policy the robot is taken over at once. The dashboard has the same, with a
touch stick and the browser's gamepad. With --record it is recorded, with what a person does marked; without a
policy, + - or * end an episode as success, failure or discarded, and / begins the next.
Space bar: emergency stop (B on a gamepad). Exit codes as of "reverie run".`;

interface TeleopOptions extends Omit<RunOptions, 'device'>, RecordingOptions {
  readonly device: 'keyboard' | 'gamepad' | 'leader';
  readonly port?: string;
  readonly leader?: string;
  readonly json?: true;
}

export function teleopCommand(): Command {
  const command = new Command('teleop')
    .description('lead a robot by hand, alone or taking over from its policy')
    .argument('<launch>', 'launch file, or name of one in launch/')
    .addOption(
      new Option('--device <kind>', 'what is in the hand')
        .choices(['keyboard', 'gamepad', 'leader'])
        .makeOptionMandatory(),
    )
    .option('--port <path>', 'joystick device (/dev/input/js0 where not given), or bus of the leader arm')
    .option('--leader <robot>', 'robot.yaml of the leader arm; of the robot itself where not given')
    .option('--policy <bundle>', 'policy to take over from; that of the launch file where not given')
    .option('--no-policy', 'nobody but the person')
    .option('--seconds <s>', 'end after this long', seconds)
    .option('--no-dashboard', 'without the dashboard')
    .option('--dashboard-port <n>', 'port of the dashboard; 0 for any free one', port)
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES);
  return addRecordingOptions(command).action(async (name: string, options: TeleopOptions) => {
    const launch = loadLaunch(name);
    const device = deviceOf(options, launch.robot);
    // Commander has `true` where neither --policy nor --no-policy is given.
    const policy = (options.policy as string | boolean | undefined) === true ? undefined : options.policy;
    const summary = await runLaunch(launch, { ...options, policy, device, ...recordingBeside(options) });
    if (options.json) printJson(summary);
  });
}

function deviceOf({ device, port: path, leader: own }: TeleopOptions, robot: string): Device {
  if (own !== undefined && device !== 'leader') throw new UserError('--leader is for --device leader');
  switch (device) {
    case 'keyboard':
      if (path !== undefined) throw new UserError('--port is for --device gamepad and leader');
      if (!process.stdin.isTTY)
        throw new UserError('--device keyboard needs a terminal; standard input is none');
      return keyboard();
    case 'gamepad':
      return gamepad(path ?? '/dev/input/js0');
    case 'leader':
      if (path === undefined) throw new UserError('--device leader needs --port, the bus of the leader arm');
      return leader(path, own ?? robot);
  }
}
