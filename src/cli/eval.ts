import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { UserError } from '../base/errors.js';
import { admit } from '../policy/admission.js';
import { readBundle } from '../policy/bundle.js';
import type { Evaluation } from '../policy/manifest.js';
import { loadRobot } from '../robot/load.js';
import { createTask } from '../tasks/index.js';
import type { TaskParameters } from '../tasks/task.js';
import { count, seconds, seed, setOption } from './options.js';
import { figure, Progress, printJson, printTable } from './output.js';

interface EvalOptions {
  readonly episodes: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly robot?: string;
  readonly set?: TaskParameters;
  readonly workers: number;
  readonly json?: true;
}

const EXAMPLES = `
Friction is drawn from 0.6 to 1.2 and a floating base is pushed by 0.2 to 0.4 m/s every 3 to 6 s. The same seed
gives the same figures, whatever the number of workers. Speed is net displacement along the starting heading.

Examples:
  reverie eval runs/walk-quadruped-1/policy
  reverie eval quadruped-walk --episodes 100 --seed 7        # a policy that comes with the package
  reverie eval my/policy --robot robots/mine --seconds 60
  reverie eval my/policy --set walk_m_s=0.2     # the task as it was trained on, but for this
  reverie eval my/policy --json | jq .mean_speed_mps`;

export function evalCommand(): Command {
  return new Command('eval')
    .description('judge a policy in simulation, on seeds that training does not use')
    .argument('<policy>', 'folder of a policy bundle, or name of a shipped one')
    .option('--episodes <n>', 'episodes to run', count, 20)
    .option('--seconds <s>', "length of an episode (default: the task's own)", seconds)
    .option('--seed <n>', 'draws friction, pushes, noise and start of every episode', seed, 0)
    .option('--robot <name>', "name, folder or robot.yaml (default: the policy's own)")
    .addOption(setOption())
    .option('--workers <n>', 'threads to simulate in', count, availableParallelism())
    .option('--json', 'print one JSON object instead of a table')
    .addHelpText('after', EXAMPLES)
    .action(evaluate);
}

async function evaluate(given: string, options: EvalOptions): Promise<void> {
  const bundle = readBundle(given);
  const robot = loadRobot(options.robot ?? bundle.manifest.robot);
  // Judged by the task that it was trained on, but for what is set otherwise.
  const trained = bundle.manifest.training?.parameters;
  if (trained)
    createTask(
      bundle.manifest.task,
      robot.spec,
      trained,
      `${bundle.path}/manifest.json: training.parameters`,
    );
  const parameters = (trained || options.set) && { ...trained, ...options.set };
  const task = createTask(bundle.manifest.task, robot.spec, parameters, '--set');
  const admission = admit(bundle.manifest, { spec: robot.spec, contract: task.contract });
  if (!admission.admitted)
    throw new UserError(
      `${bundle.path} is refused for ${robot.path}:\n${admission.reasons.map((r) => `  ${r}`).join('\n')}`,
    );
  const progress = new Progress('episodes', options.episodes);
  let evaluation: Evaluation;
  try {
    evaluation = await evaluateBundle({
      robot,
      bundle,
      parameters,
      episodes: options.episodes,
      seconds_each: options.seconds ?? task.episodeSteps / robot.spec.rates.policy_hz,
      seed: options.seed,
      workers: options.workers,
      onEpisode: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
  if (options.json) printJson(evaluation);
  else printEvaluation(evaluation);
}

const percent = (rate: number | null | undefined): number | null =>
  rate === null || rate === undefined ? null : 100 * rate;

function printEvaluation(e: Evaluation): void {
  printTable([
    ['episodes', `${e.episodes} of ${e.seconds_each} s`],
    ['falls', figure(e.falls, 0)],
    ['success', figure(percent(e.success_rate), 0, '%')],
    ['mean speed', figure(e.mean_speed_mps, 2, 'm/s')],
    ['mean return', figure(e.mean_return, 1)],
    ['mean power', figure(e.mean_power_w, 1, 'W')],
    ['foot slip', figure(e.foot_slip_mps, 3, 'm/s')],
    ['touchdowns', figure(e.touchdowns_per_s, 2, '/s per foot')],
    ['action rate', figure(e.action_rate, 3, 'rms change a step')],
    ['rolled over', figure(percent(e.rolled_over_rate), 0, '%')],
    ['stood', figure(percent(e.stood_rate), 0, '%')],
    ['speed at the end', figure(e.speed_at_end_mps ?? null, 2, 'm/s')],
    ['done after', figure(e.seconds_to_success ?? null, 1, 's')],
  ]);
}
