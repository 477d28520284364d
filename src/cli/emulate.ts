import { Command, InvalidArgumentError } from 'commander';
import { EmulatedArm } from '../../drivers/emulator/arm.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { UserError } from '../base/errors.js';
import { loadRobot } from '../robot/load.js';
import { seconds, seed } from './options.js';
import { printJson } from './output.js';

const EXAMPLES = `
Faults, with --fault, as often as wanted:
  flip=P truncate=P merge=P            probability for each answer
  slow=MS                              every answer is late
  silence=ID wrong-id=ID duplicate-id=ID power=ID overload=ID      one servo
  silence=all unplug                   all of them; the adapter
  …@START or …@START+LENGTH            seconds from now; from the beginning, to the end where not given

Examples:
  reverie emulate arm --link ./reverie-arm     the port is ./reverie-arm-servos
  reverie run launch/arm.serial.yaml              in another terminal
  reverie emulate arm --link ./reverie-arm --fault flip=0.01 --fault power=3@10+2`;

interface Options {
  readonly link?: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly fault: readonly Fault[];
  readonly json?: true;
}

interface Fault {
  readonly kind: keyof typeof faults;
  readonly value: string;
  readonly start_s: number;
  readonly length_s: number;
}

export function emulateCommand(): Command {
  return new Command('emulate')
    .description("servos of a robot behind a pseudo-terminal, moved by the robot's MuJoCo model")
    .argument('<robot>', 'name, or path of its folder')
    .option('--link <name>', 'stable name: each port is NAME-BUS')
    .option('--fault <fault>', 'something that goes wrong on the wire', addFault, [])
    .option('--seed <n>', 'of the faults', seed, 0)
    .option('--seconds <s>', 'end after this long', seconds)
    .option('--json', 'print one line {"ports":{"NAME":"PATH"}} first')
    .addHelpText('after', EXAMPLES)
    .action(emulate);
}

async function emulate(name: string, options: Options): Promise<void> {
  const robot = loadRobot(name);
  const { spec } = robot;
  if (spec.bus?.length !== 1) throw new UserError(`${robot.path}: has no bus whose servos can be emulated`);
  const link = options.link && `${options.link}-${spec.bus[0].name}`;
  const arm = new EmulatedArm(await loadMujoco(), robot, options.seed, link);
  const timers = options.fault.flatMap((fault) => begin(arm, fault));
  if (options.json) printJson({ ports: { [arm.bus]: arm.path } });
  else process.stdout.write(`${arm.bus}: ${arm.path}\nCtrl-C ends it\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    if (options.seconds) setTimeout(resolve, 1e3 * options.seconds);
  });
  for (const timer of timers) clearTimeout(timer);
  await arm.close();
}

/** What a fault does, and how it is undone. */
const faults = {
  flip: (arm: EmulatedArm, value: string, on: boolean) => {
    arm.faults.flip = on ? probability(value) : 0;
  },
  truncate: (arm: EmulatedArm, value: string, on: boolean) => {
    arm.faults.truncate = on ? probability(value) : 0;
  },
  merge: (arm: EmulatedArm, value: string, on: boolean) => {
    arm.faults.merge = on ? probability(value) : 0;
  },
  slow: (arm: EmulatedArm, value: string, on: boolean) => {
    arm.faults.delay_ms = on ? Number(value) : 0;
  },
  silence: (arm: EmulatedArm, value: string, on: boolean) => {
    const ids = value === 'all' ? arm.servos.map((s) => s.id) : [servo(arm, value).id];
    for (const id of ids)
      if (on) arm.faults.silent.add(id);
      else arm.faults.silent.delete(id);
  },
  'wrong-id': (arm: EmulatedArm, value: string, on: boolean) => {
    servo(arm, value).answersAs = on ? 200 : undefined;
  },
  'duplicate-id': (arm: EmulatedArm, value: string, on: boolean) => {
    const chosen = servo(arm, value);
    const at = arm.servos.indexOf(chosen);
    // Its neighbour takes its id.
    const other = arm.servos[(at + 1) % arm.servos.length];
    other.memory[5] = on ? chosen.id : other.model.id;
  },
  power: (arm: EmulatedArm, value: string, on: boolean) => servo(arm, value).power(!on),
  overload: (arm: EmulatedArm, value: string, on: boolean) => {
    if (on) servo(arm, value).overload();
  },
  unplug: (arm: EmulatedArm, _value: string, on: boolean) => (on ? arm.unplug() : arm.plug()),
} as const;

function servo(arm: EmulatedArm, id: string) {
  const found = arm.servos.find((s) => String(s.model.id) === id);
  if (found) return found;
  throw new UserError(`no servo with id ${id}; ids are ${arm.servos.map((s) => s.model.id).join(', ')}`);
}

function probability(text: string): number {
  const p = Number(text);
  if (text !== '' && p >= 0 && p <= 1) return p;
  throw new UserError(`"${text}" is no probability; expected 0 to 1`);
}

function begin(arm: EmulatedArm, { kind, value, start_s, length_s }: Fault): NodeJS.Timeout[] {
  const does = faults[kind];
  // What names no servo is refused now, not when its time comes.
  if (!['flip', 'truncate', 'merge', 'slow', 'unplug'].includes(kind) && value !== 'all') servo(arm, value);
  if (['flip', 'truncate', 'merge'].includes(kind)) probability(value);
  const start = () => does(arm, value, true);
  if (start_s === 0) start();
  const timers = start_s > 0 ? [setTimeout(start, 1e3 * start_s)] : [];
  if (Number.isFinite(length_s))
    timers.push(setTimeout(() => does(arm, value, false), 1e3 * (start_s + length_s)));
  return timers;
}

function addFault(text: string, before: readonly Fault[]): Fault[] {
  const match = /^([a-z-]+)(?:=([\w.]+))?(?:@([\d.]+)(?:\+([\d.]+))?)?$/.exec(text);
  const [, kind, value = '', start, length] = match ?? [];
  if (!kind || !(kind in faults))
    throw new InvalidArgumentError(
      `Expected KIND=VALUE@START+LENGTH with one of ${Object.keys(faults).join(', ')}.`,
    );
  const fault = {
    kind: kind as Fault['kind'],
    value,
    start_s: start === undefined ? 0 : Number(start),
    length_s: length === undefined ? Number.POSITIVE_INFINITY : Number(length),
  };
  return [...before, fault];
}
