import { Command } from 'commander';

const EXAMPLES = `
Examples:
  reverie bench                        the training step, inference and the simulator
  reverie bench step --only sac-256    some of it
  reverie bench loop --while-training  how late the control loop's ticks come while SAC learns beside it
  reverie bench fleet                  robots, broker and learner killed again and again: is anything lost?
  reverie bench --json | tail -n 1     one object: {"machine": …, "results": […]}`;

/** What can be measured, in the order of the help. The measuring itself lies in bench/. */
const benches: Readonly<Record<string, () => Promise<Command>>> = {
  step: async () => (await import('./benchStep.js')).benchStepCommand(),
  loop: async () => (await import('./benchLoop.js')).benchLoopCommand(),
  fleet: async () => (await import('./benchFleet.js')).benchFleetCommand(),
  'fleet-load': async () => (await import('./benchFleetLoad.js')).benchFleetLoadCommand(),
  'fleet-policy': async () => (await import('./benchFleetPolicy.js')).benchFleetPolicyCommand(),
};

/** What runs where nothing is named. */
const DEFAULT = 'step';

export async function benchCommand(): Promise<Command> {
  const command = new Command('bench')
    .description('how fast this machine is at what Reverie does, beside others where they are installed')
    .addHelpText('after', EXAMPLES);
  for (const [name, load] of Object.entries(benches))
    command.addCommand(await load(), { isDefault: name === DEFAULT });
  return command;
}
