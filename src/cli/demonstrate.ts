import { Command } from 'commander';
import { demonstrable, demonstrate } from '../../sim/demonstrate.js';
import { Environment } from '../../sim/environment.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { trainingRandomisation } from '../../sim/randomise.js';
import { UserError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { robotFeatures } from '../datasets/robotFrames.js';
import { DatasetWriter } from '../datasets/writer.js';
import { admit } from '../policy/admission.js';
import { readBundle } from '../policy/bundle.js';
import { loadPolicy } from '../policy/inference.js';
import type { Policy } from '../policy/policy.js';
import { loadRobot } from '../robot/load.js';
import type { RobotSpec } from '../robot/spec.js';
import { createTask } from '../tasks/index.js';
import type { Task, TaskParameters } from '../tasks/task.js';
import { count, seed, setOption } from './options.js';
import { Progress, printJson } from './output.js';

const EXAMPLES = `
Episodes that fail are counted and left out.

Examples:
  reverie demonstrate pick --robot arm-table --episodes 20 --out demos
  reverie train pick --robot arm-table --demos demos
  reverie train pick --robot arm-table --demos demos --learner bc
  reverie demonstrate rise --episodes 100 --out demos-rise
  reverie demonstrate rise --set walk_m_s=0.3 --episodes 30 --out walks   # gets up and walks on
  reverie demonstrate rise --after runs/rise-quadruped-1/policy --out more     # where a policy got to, how to go on`;

interface DemonstrateOptions {
  readonly robot?: string;
  readonly episodes: number;
  readonly seed: number;
  readonly noise: number;
  readonly after?: string;
  readonly set?: TaskParameters;
  readonly out: string;
  readonly json?: true;
}

/** A demonstrator that fails this much more often than it succeeds has the wrong robot. */
const TRIES_EACH = 5;

export function demonstrateCommand(): Command {
  return new Command('demonstrate')
    .description('record a scripted demonstrator in simulation as a LeRobot dataset')
    .argument('<task>', `one of ${Object.keys(demonstrable).join(', ')}`)
    .option('--robot <name>', 'robot, by name or folder (default: the one that comes with the task)')
    .option('--episodes <n>', 'successful episodes to record', count, 20)
    .option('--seed <n>', 'repeats them bit for bit', seed, 1)
    .option('--noise <share>', 'deviation of what the demonstrator adds to its actions', Number, 0.1)
    .option('--after <policy>', 'bundle that acts first in each episode, for a while that is not recorded')
    .addOption(setOption())
    .requiredOption('--out <folder>', 'folder of the dataset, which must not be there yet')
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(record);
}

async function record(taskName: string, options: DemonstrateOptions): Promise<void> {
  const known = demonstrable[taskName];
  if (!known)
    throw new UserError(
      `no demonstrator for task "${taskName}"; there is one for ${Object.keys(demonstrable).join(', ')}`,
    );
  const robot = loadRobot(options.robot ?? known.robot);
  const { spec } = robot;
  const task = createTask(taskName, spec, options.set, '--set');
  const features = robotFeatures(spec, task.contract);
  const writer = new DatasetWriter(options.out, { fps: spec.rates.policy_hz, robot: spec.name, features });
  const before = options.after ? admitted(options.after, spec, task) : undefined;
  const steps = (before ? 2 : 1) * task.episodeSteps;
  const env = new Environment(await loadMujoco(), robot, task, trainingRandomisation, steps);
  const progress = new Progress('demonstrations', options.episodes);
  let failed = 0;
  let frames = 0;
  try {
    for (let e = 0; writer.episodes < options.episodes; e++) {
      if (failed > TRIES_EACH * options.episodes)
        throw new UserError(`${robot.path}: the demonstrator failed ${failed} times`);
      const episodeSeed = Random.stream(options.seed, 'demonstration', e).uint32();
      const { episode, success } = demonstrate(env, episodeSeed, options.noise, before);
      if (success) {
        await writer.add(episode);
        frames += episode.length;
      } else failed++;
      progress.update(writer.episodes);
    }
    await writer.close();
  } catch (error) {
    await writer.abandon();
    throw error;
  } finally {
    progress.stop();
    env.close();
  }
  const result = { episodes: writer.episodes, frames, failed, out: options.out };
  if (options.json) printJson(result);
  else process.stdout.write(`${result.episodes} demonstrations, ${failed} failed; ${options.out}\n`);
}

/** @throws UserError where the bundle is not for this robot and task */
function admitted(given: string, spec: RobotSpec, task: Task): Policy {
  const bundle = readBundle(given);
  const admission = admit(bundle.manifest, { spec, contract: task.contract });
  if (!admission.admitted)
    throw new UserError(`--after ${bundle.path} is refused: ${admission.reasons.join('; ')}`);
  return loadPolicy(bundle);
}
