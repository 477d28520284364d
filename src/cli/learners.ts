import type { Actor } from '../../sim/actor.js';
import { Random } from '../base/random.js';
import {
  type DreamerConfig,
  DreamerLearner,
  DreamerNetworks,
  DreamerTraining,
  dreamerConfig,
  exportPolicy,
  type OpenLoop,
  policyNames,
  surpriseQuantiles,
  worldOf,
} from '../learn/dreamer/index.js';
import { symmetryOf } from '../learn/replay/mirror.js';
import type { Replay } from '../learn/replay/replay.js';
import type { ReplayLearner } from '../learn/replayLearner.js';
import {
  actorLayout,
  exportActor,
  type SacConfig,
  SacLearner,
  SacTraining,
  sacConfig,
} from '../learn/sac/index.js';
import { taskRecipes } from '../learn/trainer/recipes.js';
import type { NetworkNames } from '../policy/manifest.js';
import { contractOf, gaussianNames } from '../policy/manifest.js';
import type { Robot } from '../robot/load.js';
import { observationSize, type Task } from '../tasks/task.js';
import type { EngineChoice, EngineName } from '../tensor/index.js';

/** What learns from a replay. */
export const learnerKinds = ['sac', 'dreamer'] as const;
export type LearnerKind = (typeof learnerKinds)[number];

export interface OpenOptions {
  readonly replay: Replay;
  readonly seed: number;
  /** Name of the random stream that draws batches. */
  readonly purpose: string;
  readonly threads: number;
  readonly engine?: EngineChoice;
  readonly onNote?: (line: string) => void;
  /** What somebody has shown, and from how many steps on it counts. For SAC alone. */
  readonly demonstrations?: Replay;
  readonly leastShown?: number;
  /** Shown what a world model predicted, at each report. */
  readonly onOpenLoop?: (openLoop: OpenLoop) => void;
}

/** A kind of learner, fitted to a robot and its task: all that commands have to know of it. */
export interface LearnerSetup {
  readonly kind: LearnerKind;
  readonly config: SacConfig | DreamerConfig;
  /** How its replay adds up rewards. */
  readonly returns: { readonly discount: number; readonly nSteps: number };
  /** Steps of one stream that it needs to learn anything. */
  readonly leastSteps: number;
  /** What simulation workers act with. */
  readonly actor: Actor;
  open(options: OpenOptions): Promise<{ readonly learner: ReplayLearner; readonly engine: EngineName }>;
  /**
   * The policy with these weights as a file, and what the manifest says of it.
   * @param replay what it was trained on, which tells what does not surprise it
   */
  network(parameters: Float32Array, replay?: Replay): { onnx: Uint8Array; names: NetworkNames };
}

/**
 * @param given preset and hyperparameters of the user's; without a preset the task's own are the start
 * @param where the overrides come from, for messages
 * @throws UserError where they do not fit
 */
export function setUpLearner(
  kind: LearnerKind,
  robot: Robot,
  task: Task,
  given: {
    readonly preset?: string;
    readonly overrides?: Record<string, unknown>;
    readonly demonstrated?: boolean;
  },
  where?: string,
): LearnerSetup {
  const recipe = taskRecipes[task.name];
  const known = kind === 'sac' ? recipe : recipe.dreamer;
  const shown = given.demonstrated ? known.demonstrated?.learner : {};
  const preset = given.preset ?? known.preset;
  const overrides = { ...(given.preset ? {} : { ...known.learner, ...shown }), ...given.overrides };
  return kind === 'sac'
    ? sacSetup(robot, task, sacConfig(preset, overrides, where))
    : dreamerSetup(robot, task, dreamerConfig(preset, overrides, where));
}

/** Of a run that goes on. @param config of that run, complete */
export function resumedLearner(
  kind: LearnerKind,
  robot: Robot,
  task: Task,
  config: SacConfig | DreamerConfig,
): LearnerSetup {
  return kind === 'sac'
    ? sacSetup(robot, task, config as SacConfig)
    : dreamerSetup(robot, task, config as DreamerConfig);
}

function sacSetup({ spec }: Robot, task: Task, config: SacConfig): LearnerSetup {
  const sizes = { observations: observationSize(task.contract), actions: spec.joints.length, config };
  return {
    kind: 'sac',
    config,
    returns: { discount: config.gamma, nSteps: config.n_step },
    leastSteps: 1,
    actor: { kind: 'gaussian', ...actorLayout(sizes) },
    async open({ replay, seed, purpose, threads, engine, onNote, demonstrations, leastShown }) {
      const learner = await SacLearner.create({ ...sizes, seed, threads, engine, onNote });
      const mirror = symmetryOf(task);
      const random = Random.stream(seed, purpose);
      return {
        learner: new SacTraining({ learner, replay, demonstrations, leastShown, mirror, random }),
        engine: learner.engine,
      };
    },
    network: (parameters) => ({
      onnx: exportActor(sizes, parameters, { robot: spec.name, task: task.name }),
      names: gaussianNames,
    }),
  };
}

function dreamerSetup({ spec }: Robot, task: Task, config: DreamerConfig): LearnerSetup {
  const world = worldOf(task.contract);
  return {
    kind: 'dreamer',
    config,
    returns: { discount: 1 - 1 / config.discount_horizon, nSteps: 1 },
    leastSteps: config.length,
    actor: { kind: 'dreamer', world, config },
    async open({ replay, seed, threads, engine, onNote, onOpenLoop }) {
      const learner = await DreamerLearner.create({ world, config, seed, threads, engine, onNote });
      return {
        learner: new DreamerTraining({ learner, replay, seed, mirror: symmetryOf(task), onOpenLoop }),
        engine: learner.engine,
      };
    },
    network(parameters, replay) {
      const metadata = { robot: spec.name, task: task.name };
      const onnx = exportPolicy(new DreamerNetworks(world, config), parameters, metadata);
      const names = policyNames(world, config, spec.watchdog.sensor_lost_s);
      if (!replay || !names.surprise) return { onnx, names };
      const manifest = { ...contractOf(spec, task), network: { file: 'policy.onnx' as const, ...names } };
      const quantiles = surpriseQuantiles({ manifest, onnx, path: task.name }, replay);
      return { onnx, names: { ...names, surprise: { ...names.surprise, quantiles } } };
    },
  };
}
