import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../base/files.js';
import { type Launch, loadLaunch } from '../launch/launch.js';
import { recipeFor, taskRecipes } from '../learn/trainer/recipes.js';
import { engineOption, port, seconds, seed } from './options.js';
import { printJson } from './output.js';
import { type RunOptions, runLaunch } from './run.js';
import { TrainingDashboard } from './trainingDashboard.js';

const EXAMPLES = `
Examples:
  reverie start                                  learn to walk from nothing, then walk and go on learning
  reverie start --policy quadruped-walk          walk at once, with a policy that comes along
  reverie start --seconds 30 --json              for scripts: one object at the end

Space bar: emergency stop. Ctrl-C: sit down and end.`;

/** What `reverie train --json` ends with, as far as the main job needs it. */
interface Trained {
  readonly bundle: string;
  readonly passed: boolean;
  readonly finished: boolean;
}

/**
 * Trains in a process of its own, as `reverie train` would: the process that goes on to be the robot
 * has never had a learner in it.
 */
function train(
  { task, robot, learner }: Launch,
  seedNumber: number,
  out: string,
  engine?: string,
): Promise<Trained> {
  const args = [join(packageRoot, 'bin/reverie.js'), 'train', task, '--robot', robot, '--json', '--fresh'];
  args.push('--learner', learner.kind);
  if (learner.preset) args.push('--preset', learner.preset);
  if (engine) args.push('--engine', engine);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args, '--seed', String(seedNumber), '--out', out], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
    // Ctrl-C reaches the child too; it ends with its checkpoint kept, and so do we.
    const onInterrupt = () => {};
    process.on('SIGINT', onInterrupt);
    child.on('error', reject);
    child.on('exit', (code) => {
      process.off('SIGINT', onInterrupt);
      if (code === 0) resolve(JSON.parse(printed.trim().split('\n').at(-1)!));
      else process.exit(code ?? 1);
    });
  });
}

/** What is to be seen while it learns. */
function openDashboard(
  launch: Launch,
  run: string,
  { dashboard, dashboardPort }: Pick<RunOptions, 'dashboard' | 'dashboardPort'>,
): Promise<TrainingDashboard> | undefined {
  if (!launch.dashboard.enabled || dashboard === false) return undefined;
  const port = dashboardPort ?? launch.dashboard.port;
  const { steps } = recipeFor(launch.task, {}, launch.path, launch.learner.kind);
  return TrainingDashboard.open(
    { ...launch, dashboard: { ...launch.dashboard, port } },
    run,
    { steps, goal: taskRecipes[launch.task].passing },
    (line) => process.stderr.write(`${line}\n`),
  );
}

export function startCommand(): Command {
  return new Command('start')
    .description('the main job: learn a task in simulation, then do it in real time while learning goes on')
    .argument('[launch]', 'launch file', 'launch/quadruped.sim.yaml')
    .option('--policy <bundle>', 'start from a bundle, by name or folder, instead of training one')
    .option('--seconds <s>', 'length of the real-time part', seconds)
    .option('--seed <n>', 'of the training', seed, 1)
    .addOption(engineOption())
    .option('--no-dashboard', 'without the dashboard')
    .option('--dashboard-port <n>', 'port of the dashboard; 0 for any free one', port)
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async (launchName: string, options) => {
      const launch = loadLaunch(launchName);
      let trained: Trained | undefined;
      const run = join('runs', `${launch.task}-${launch.robot}-${options.seed}`);
      if (!options.policy) {
        process.stderr.write(`learning to ${launch.task} from nothing, in fast simulation\n`);
        const dashboard = await openDashboard(launch, run, options);
        try {
          trained = await train(launch, options.seed, run, options.engine);
        } finally {
          await dashboard?.close();
        }
      }
      const summary = await runLaunch(launch, {
        policy: options.policy ?? trained?.bundle,
        trainingRun: trained && run,
        seconds: options.seconds,
        engine: options.engine,
        dashboard: options.dashboard,
        dashboardPort: options.dashboardPort,
      });
      if (options.json) printJson({ ...summary, train: trained ?? null });
    });
}
