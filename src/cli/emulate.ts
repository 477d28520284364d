import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import { clearFaults, type Fault, inject, parseFault } from '../../drivers/emulator/injection.js';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { UserError } from '../base/errors.js';
import { loadRobot } from '../robot/load.js';
import { seconds, seed } from './options.js';
import { printJson } from './output.js';

const EXAMPLES = `
Faults, with --fault, as often as wanted, or a line each on standard input while it runs:
  flip=P truncate=P merge=P            probability for each answer
  slow=MS                              every answer is late
  silence=DRIVE wrong-id=DRIVE duplicate-id=DRIVE power=DRIVE overload=DRIVE
  silence=imu unplug unplug=BUS        the IMU; the adapters, or one
  …@START or …@START+LENGTH            seconds from now; from the beginning, to the end where not given
DRIVE is a joint, BUS:ID, ID on a robot of one bus, or all. On standard input also: clear, which undoes
all faults, place, which puts the robot back to where it began, where, which says where its base is,
and hand ANGLE …, which holds an arm's joints at these angles (rad), as a person does; hand alone lets go.

Examples:
  reverie emulate arm --link ./reverie-arm             the port is ./reverie-arm-servos
  reverie run launch/arm.serial.yaml                      in another terminal
  reverie emulate quadruped --link ./reverie-quadruped ports of two CAN adapters and of an IMU
  reverie emulate arm --link ./reverie-arm --fault flip=0.01 --fault power=3@10+2`;

interface Options {
  readonly link?: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly fault: readonly Fault[];
  readonly json?: true;
}

export function emulateCommand(): Command {
  return new Command('emulate')
    .description("a robot's drives and IMU behind pseudo-terminals, moved by its MuJoCo model")
    .argument('<robot>', 'name, or path of its folder')
    .option('--link <name>', 'stable names: each port is NAME-BUS')
    .option('--fault <fault>', 'something that goes wrong on the wire', addFault, [])
    .option('--seed <n>', 'of the faults', seed, 0)
    .option('--seconds <s>', 'end after this long', seconds)
    .option('--json', 'print one line {"ports":{"NAME":"PATH"}} first')
    .addHelpText('after', EXAMPLES)
    .action(emulate);
}

async function emulate(name: string, options: Options): Promise<void> {
  const robot = new EmulatedRobot(await loadMujoco(), loadRobot(name), options.seed, options.link);
  const timers: NodeJS.Timeout[] = [];
  const lines = createInterface({ input: process.stdin });
  try {
    for (const fault of options.fault) timers.push(...inject(robot, fault));
    if (options.json) printJson({ ports: Object.fromEntries(robot.ports.map((p) => [p.name, p.path])) });
    else {
      for (const port of robot.ports) process.stdout.write(`${port.name}: ${port.path}\n`);
      process.stdout.write('Ctrl-C ends it\n');
    }
    lines.on('line', (line) => obey(robot, line.trim(), timers, options.seed));
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
      if (options.seconds) setTimeout(resolve, 1e3 * options.seconds);
    });
  } finally {
    lines.close();
    process.stdin.destroy();
    for (const timer of timers) clearTimeout(timer);
    await robot.close();
  }
}

/** A line of standard input. A mistake there ends nothing. */
function obey(robot: EmulatedRobot, line: string, timers: NodeJS.Timeout[], seed: number): void {
  if (line === '') return;
  try {
    if (line === 'clear') {
      for (const timer of timers.splice(0)) clearTimeout(timer);
      clearFaults(robot);
    } else if (line === 'place') robot.place(seed);
    else if (/^hand\b/.test(line)) {
      const [, ...angles] = line.split(/\s+/);
      robot.hand(angles.length > 0 ? angles.map(Number) : undefined);
    } else if (line === 'where') process.stderr.write(`${robot.base_m.map((x) => x.toFixed(3)).join(' ')}\n`);
    else timers.push(...inject(robot, parseFault(line)));
    if (line !== 'where') process.stderr.write(`${line}: done\n`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}\n`);
  }
}

function addFault(text: string, before: readonly Fault[]): Fault[] {
  try {
    return [...before, parseFault(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
