import { Command, CommanderError } from 'commander';
import { UserError } from '../base/errors.js';
import { packageInfo } from '../base/packageInfo.js';
import { withoutRosArguments } from '../ros/rosArguments.js';
import { commands } from './commands.js';

/** Exit codes: 0 done, 1 a fault of ours or a check that did not pass, 2 a mistake in what was asked. */
const FAULT = 1;
const MISTAKE = 2;

const EXAMPLES = `
Examples:
  reverie doctor                                        what works on this machine
  reverie start                                         learn to walk, then walk and go on learning
  reverie train walk --robot quadruped --seed 1         train a policy in simulation
  reverie eval runs/walk-quadruped-1/policy             judge it on seeds it has not seen
  reverie run launch/quadruped.sim.yaml                 run a robot in real time
  reverie teleop arm.sim --device keyboard              lead a robot by hand
  reverie export runs/walk-quadruped-1/policy --out to  hand it to somebody else's runtime

Each command has --help with examples of its own; those that end with a result have --json for machines.`;

/**
 * Builds the program with the subcommand that is asked for, or all of them where none is: a command
 * does not wait for the libraries of the others to load.
 */
async function program(argv: readonly string[]): Promise<Command> {
  const root = new Command('reverie')
    .description(packageInfo.description)
    .version(packageInfo.version, '-V, --version')
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', EXAMPLES)
    // A command's own subcommands have options of the same names as the command has.
    .enablePositionalOptions()
    .exitOverride();
  const asked = argv.find((word) => !word.startsWith('-'));
  const wanted = asked !== undefined && asked in commands ? [asked] : Object.keys(commands);
  for (const name of wanted) {
    const command = await commands[name]();
    root.addCommand(command);
    inherit(root, command);
  }
  return root;
}

/** Gives a command and its subcommands the settings of the one above: how errors are shown and end. */
function inherit(from: Command, command: Command): void {
  command.copyInheritedSettings(from);
  for (const sub of command.commands) inherit(command, sub);
}

/** The one place that turns errors into messages and exit codes. */
function exitCodeOf(error: unknown): number {
  // commander has printed its message by the time it throws.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISTAKE;
  if (error instanceof UserError) {
    process.stderr.write(`reverie: ${error.message}\n`);
    return MISTAKE;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return FAULT;
}

// A reader that has seen enough (`reverie doctor | head -1`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
// Nor is one that is gone: what has to be ended first, such as a robot that moves, is.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  // ROS 2 appends its own arguments to those of every node that it launches.
  const words = process.argv.slice(2);
  const argv = words[0] === 'run' ? withoutRosArguments(words) : words;
  await (await program(argv)).parseAsync(argv, { from: 'user' });
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
