import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { RolloutPool } from '../../sim/rolloutPool.js';
import { UserError } from '../base/errors.js';
import { BcLearner } from '../learn/bc/learner.js';
import { sacConfig } from '../learn/sac/index.js';
import { taskRecipes } from '../learn/trainer/recipes.js';
import { loadRobot } from '../robot/load.js';
import { createTask } from '../tasks/index.js';
import { observationSize } from '../tasks/task.js';
import { readDemonstrations } from './demonstrations.js';
import { resumedLearner } from './learners.js';
import { finalEvaluation, writeResult } from './trainResult.js';
import { readOverrides, type TrainRunOptions, type TrainRunResult } from './trainRun.js';

/** Updates where nothing else is asked for: some hundred looks at each step of twenty demonstrations. */
const UPDATES = 5000;

/**
 * Behaviour cloning from demonstrations to a bundle: no simulation but for the final evaluation.
 * `steps` counts updates. @throws UserError without demonstrations, or where they do not fit
 */
export async function cloneRun(options: TrainRunOptions): Promise<TrainRunResult> {
  const began = performance.now();
  if (!options.demos) throw new UserError('behaviour cloning needs --demos DATASET');
  const robot = loadRobot(options.robot);
  const task = createTask(options.task, robot.spec, options.parameters, '--set');
  const known = taskRecipes[task.name];
  const { learner: overrides } = readOverrides(options.config);
  const config = sacConfig(options.preset ?? known.preset, overrides, options.config);
  const setup = resumedLearner('sac', robot, task, config);
  const observations = observationSize(task.contract);
  const sizes = { observations, actions: robot.spec.joints.length, config };
  const demonstrations = await readDemonstrations(options.demos, robot.spec, task, setup.returns);
  mkdirSync(options.out, { recursive: true });
  const { seed, threads = 1 } = options;
  const learner = await BcLearner.create({ ...sizes, seed, threads }, demonstrations);
  const updates = options.steps ?? UPDATES;
  for (let u = 0; u < updates; u++) await learner.step();
  const parameters = learner.actorParameters();
  options.onNote?.(`${updates} updates; mean squared error ${learner.error.toFixed(4)}`);
  await learner.dispose();
  const collector = await RolloutPool.create({
    robot,
    task,
    parameters: options.parameters,
    actor: setup.actor,
    seed,
    workers: options.workers ?? availableParallelism(),
    environments: options.workers ?? availableParallelism(),
    evaluation: { episodes: 1, seconds_each: 1, stepsPerRound: 0 },
  });
  try {
    const evaluation = await finalEvaluation(collector, task.name, options, parameters);
    const wallMinutes = (performance.now() - began) / 60_000;
    const steps = demonstrations.size;
    const result = { steps, updates, robotMinutes: steps / robot.spec.rates.policy_hz / 60, parameters };
    const bundle = writeResult(options, robot, task, setup, demonstrations, result, evaluation, wallMinutes);
    const passed = known.passes(evaluation);
    return {
      ...result,
      selection: undefined,
      finished: true,
      robot,
      wallMinutes,
      evaluation,
      passed,
      bundle,
    };
  } finally {
    await collector.close();
  }
}
