import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { RolloutPool } from '../../sim/rolloutPool.js';
import { UserError } from '../base/errors.js';
import { readYaml } from '../base/files.js';
import { Replay } from '../learn/replay/replay.js';
import { RunLog } from '../learn/trainer/metrics.js';
import { type Recipe, recipeFor, taskRecipes } from '../learn/trainer/recipes.js';
import {
  checkSameRun,
  Trainer,
  type TrainingProgress,
  type TrainingResult,
} from '../learn/trainer/trainer.js';
import type { Bundle } from '../policy/bundle.js';
import type { Evaluation } from '../policy/manifest.js';
import { loadRobot, type Robot } from '../robot/load.js';
import { createTask } from '../tasks/index.js';
import { observationSize, type TaskParameters } from '../tasks/task.js';
import { type EngineChoice, requireEngine } from '../tensor/index.js';
import { readDemonstrations } from './demonstrations.js';
import { copyExperience, openExperience } from './experience.js';
import { type LearnerKind, type LearnerSetup, setUpLearner } from './learners.js';
import { FILES } from './runFiles.js';
import { finalEvaluation, writeCurve, writeResult } from './trainResult.js';
import { dreamIn, studyWorldModel, type WorldModelFigures, writeDream } from './worldModel.js';

export interface TrainRunOptions {
  readonly task: string;
  readonly robot: string;
  /** Of the task. */
  readonly parameters?: TaskParameters;
  readonly seed: number;
  /** Run folder. */
  readonly out: string;
  readonly learner: LearnerKind;
  readonly preset?: string;
  /** YAML file with `learner` and `recipe` overrides. */
  readonly config?: string;
  readonly steps?: number;
  /** Fresh episodes that judge the finished policy; the task's own number where left out. */
  readonly evalEpisodes?: number;
  readonly workers?: number;
  readonly threads?: number;
  readonly engine?: EngineChoice;
  /** Folder of a dataset of demonstrations. */
  readonly demos?: string;
  /** Run folder whose recorded experience is learned from first. */
  readonly experience?: string;
  /** Starts anew where the folder already holds a run. */
  readonly fresh?: boolean;
  /** Resumes although the replay lost transitions. */
  readonly acceptLoss?: boolean;
  /** As typed, for the bundle's manifest. */
  readonly command: string;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onNote?: (line: string) => void;
  /** Handed the function that ends training after the round it is in. */
  readonly onStoppable?: (stop: () => void) => void;
}

export interface TrainRunResult extends TrainingResult {
  readonly robot: Robot;
  readonly wallMinutes: number;
  readonly evaluation: Evaluation;
  readonly passed: boolean;
  readonly bundle: Bundle;
  /** Of a learner that has one. */
  readonly worldModel?: WorldModelFigures;
}

/** On another run's experience, where the recipe does not say. */
const PRETRAIN_UPDATES = 1000;

/** What has to be the same for a run to go on. */
interface RunIdentity {
  readonly task: string;
  readonly robot: string;
  readonly seed: number;
  readonly algorithm: LearnerKind;
  readonly learner: LearnerSetup['config'];
  readonly recipe: Recipe;
  /** What the learner ran on, once it was chosen. */
  readonly engine?: EngineChoice;
  readonly threads?: number;
  readonly [key: string]: unknown;
}

/**
 * One training run from options to bundle: composes robot, task, simulation workers, replay and
 * learner, trains, evaluates the best policy on fresh seeds and writes it as a bundle.
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
  const began = performance.now();
  const robot = loadRobot(options.robot);
  const task = createTask(options.task, robot.spec, options.parameters, '--set');
  const overrides = readOverrides(options.config);
  const known = taskRecipes[task.name];
  const demonstrated = options.demos !== undefined;
  const setup = setUpLearner(
    options.learner,
    robot,
    task,
    { preset: options.preset, overrides: overrides.learner, demonstrated },
    options.config,
  );
  const given = recipeFor(task.name, overrides.recipe, options.config, setup.kind, demonstrated);
  const recipe = options.steps ? { ...given, steps: options.steps } : given;
  checkSizes(setup, recipe, options);
  const identity: RunIdentity = {
    task: task.name,
    robot: robot.spec.name,
    seed: options.seed,
    algorithm: setup.kind,
    learner: setup.config,
    recipe,
    ...(options.parameters && { parameters: options.parameters }),
    ...(robot.spec.camera && { camera: robot.spec.camera }),
    ...(options.demos && { demos: options.demos }),
    ...(options.experience && { experience: options.experience }),
  };
  const contract = { observation: observationSize(task.contract), action: robot.spec.joints.length };
  // Before --fresh has deleted anything.
  await requireEngine(options.engine ?? 'auto');
  const experience = options.experience
    ? openExperience(options.experience, contract, robot, task, options.parameters)
    : undefined;
  const { resuming, engine } = prepareFolder(options, identity);

  const replay = new Replay({
    ...contract,
    capacity: recipe.replay,
    ...setup.returns,
    path: join(options.out, FILES.replay),
  });
  if (experience && !resuming) {
    copyExperience(experience, replay, false);
    options.onNote?.(`learning from ${experience.size} recorded transitions of ${options.experience} first`);
  }
  experience?.close();
  const shown = options.demos
    ? await readDemonstrations(options.demos, robot.spec, task, setup.returns)
    : undefined;
  // SAC takes half of each batch from them. A model of the world learns from sequences, whoever made them.
  if (shown && setup.kind === 'dreamer' && !resuming) {
    copyExperience(shown, replay, true);
    options.onNote?.(`learning from ${shown.size} demonstrated transitions of ${options.demos} first`);
  }
  const threads = options.threads ?? 1;
  const opened = await setup.open({
    replay,
    seed: options.seed,
    purpose: 'replay',
    threads,
    // A run goes on with the engine that it began with, unless told otherwise: others round differently.
    engine: options.engine && options.engine !== 'auto' ? options.engine : engine,
    onNote: options.onNote,
    demonstrations: setup.kind === 'sac' ? shown : undefined,
    onOpenLoop: (openLoop) => writeDream(options.out, dreamIn(openLoop, robot.spec, task)),
  });
  const { learner } = opened;
  writeIdentity(options.out, { ...identity, engine: opened.engine, threads });
  const collector = await RolloutPool.create({
    robot,
    task,
    parameters: options.parameters,
    actor: setup.actor,
    seed: options.seed,
    workers: options.workers ?? Math.max(1, availableParallelism() - threads),
    environments: recipe.environments,
    greedy: recipe.greedy,
    warmUp: recipe.warmup_actions,
    evaluation: {
      episodes: recipe.evaluation.episodes,
      seconds_each: recipe.evaluation.seconds_each,
      stepsPerRound: recipe.evaluation.steps_per_round,
    },
  });
  let log: RunLog | undefined;
  try {
    const trainer = new Trainer({
      learner,
      collector,
      recipe,
      pretrain: pretrainUpdates(options, recipe, setup.kind),
      policy_hz: robot.spec.rates.policy_hz,
      passes: known.passes,
      lasts: known.lasts,
      checkpointPath: join(options.out, FILES.checkpoint),
      acceptLoss: options.acceptLoss,
      onProgress: options.onProgress,
    });
    if (resuming) {
      const warning = trainer.resume();
      if (warning) options.onNote?.(warning);
      options.onNote?.(`resuming ${options.out} at step ${trainer.steps}`);
    }
    options.onStoppable?.(() => trainer.stop());
    log = new RunLog(options.out, resuming ? trainer.steps : undefined);
    const result = await trainer.run(log);
    const evaluation = await finalEvaluation(collector, task.name, options, result.parameters);
    const wallMinutes = (performance.now() - began) / 60_000;
    const bundle = writeResult(options, robot, task, setup, replay, result, evaluation, wallMinutes);
    writeCurve(options.out, task.name, robot.spec.name, options.seed);
    const worldModel =
      setup.kind === 'dreamer' ? await studyWorldModel(learner, robot.spec.rates.policy_hz) : undefined;
    const passed = known.passes(evaluation);
    return { ...result, robot, wallMinutes, evaluation, passed, bundle, worldModel };
  } finally {
    log?.close();
    replay.close();
    await collector.close();
    await learner.dispose();
  }
}

/** Updates before anything is collected, where there is something to learn from by then. */
function pretrainUpdates(
  { experience, demos }: TrainRunOptions,
  { pretrain }: Recipe,
  kind: LearnerKind,
): number | undefined {
  if (experience || (demos && kind === 'dreamer')) return pretrain ?? PRETRAIN_UPDATES;
  return demos ? pretrain : undefined;
}

/** @throws UserError where the learner can never learn from what the recipe keeps */
function checkSizes(setup: LearnerSetup, recipe: Recipe, { experience, out }: TrainRunOptions): void {
  if (experience && resolve(experience) === resolve(out))
    throw new UserError(`--experience ${experience}: is the folder of this run; expected another`);
  if (recipe.greedy !== undefined && recipe.greedy >= recipe.environments)
    throw new UserError(
      `recipe: greedy is ${recipe.greedy} of ${recipe.environments} environments, so that none would explore; expected fewer`,
    );
  const perStream = Math.floor(recipe.replay / recipe.environments);
  if (setup.leastSteps > perStream)
    throw new UserError(
      `recipe: a replay of ${recipe.replay} transitions keeps ${perStream} of each of ${recipe.environments} environments, ` +
        `the learner's sequences have ${setup.leastSteps} steps; expected a larger replay or a shorter learner: length`,
    );
}

export function readOverrides(path: string | undefined): {
  learner?: Record<string, unknown>;
  recipe?: unknown;
} {
  if (!path) return {};
  const value = readYaml(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UserError(`${path}: expected a mapping with "learner" and "recipe"`);
  const unknown = Object.keys(value).filter((key) => key !== 'learner' && key !== 'recipe');
  if (unknown.length > 0)
    throw new UserError(`${path}: unknown key ${unknown.join(', ')}; expected "learner" and "recipe"`);
  return value;
}

/** @returns whether the folder holds a run of the same kind to go on with */
function prepareFolder(
  { out, fresh }: TrainRunOptions,
  identity: RunIdentity,
): { resuming: boolean; engine: EngineChoice | undefined } {
  const identityPath = join(out, FILES.identity);
  if (fresh)
    for (const file of Object.values(FILES)) rmSync(join(out, file), { recursive: true, force: true });
  const resuming = existsSync(join(out, FILES.checkpoint));
  const was = resuming ? (JSON.parse(readFileSync(identityPath, 'utf8')) as RunIdentity) : undefined;
  if (was) checkSameRun(identityPath, was, identity);
  else rmSync(join(out, FILES.replay), { force: true });
  mkdirSync(out, { recursive: true });
  writeIdentity(out, { ...identity, ...(was?.engine && { engine: was.engine, threads: was.threads }) });
  return { resuming, engine: was?.engine };
}

function writeIdentity(out: string, identity: RunIdentity): void {
  writeFileSync(join(out, FILES.identity), `${JSON.stringify(identity, undefined, 2)}\n`);
}

/** The run folder as a person would type it. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
