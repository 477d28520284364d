import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { Launch } from '../launch/launch.js';
import type { OpenLoop } from '../learn/dreamer/index.js';
import type { OnlineState } from '../learn/online/onlineLearner.js';
import { Replay } from '../learn/replay/replay.js';
import type { LearnerCheckpoint, ReplayLearner } from '../learn/replayLearner.js';
import { loadCheckpoint } from '../learn/trainer/checkpoint.js';
import type { CameraSpec } from '../robot/cameraSpec.js';
import type { Robot } from '../robot/load.js';
import { observationSize, type Task } from '../tasks/task.js';
import type { EngineChoice } from '../tensor/index.js';
import { demonstratedSteps } from './demonstrations.js';
import { type LearnerKind, type LearnerSetup, resumedLearner, setUpLearner } from './learners.js';

/** Files of an online learner's folder that it goes on from. */
export const ONLINE_FILES = {
  checkpoint: 'checkpoint.bin',
  replay: 'replay.bin',
  demonstrations: 'demonstrations.bin',
  identity: 'run.json',
} as const;

/** Steps that have to be shown before half of each batch comes from them: fewer would be repeated too often. */
const LEAST_SHOWN = 100;
/** Demonstrated steps kept: more than an hour at 10 a second. */
const DEMONSTRATIONS = 50_000;

export interface OnlineFolders {
  /** Of the online learner itself. */
  readonly run: string;
  /** Of a training run to go on from. */
  readonly from?: string;
  readonly engine?: EngineChoice;
}

interface SavedState {
  readonly learner: LearnerCheckpoint['state'];
  /** Not in the checkpoint of a training run. */
  readonly online?: OnlineState;
}

export interface OnlineParts {
  readonly setup: LearnerSetup;
  readonly learner: ReplayLearner;
  readonly demonstrations: Replay;
  readonly state: OnlineState | undefined;
}

/**
 * Learner and replay of this run, else of the training run to go on from, else new ones.
 * @throws UserError where they are of another kind, robot or size than the launch file says
 */
export async function openOnlineLearner(
  launch: Launch,
  robot: Robot,
  task: Task,
  options: OnlineFolders,
  onNote: (line: string) => void,
  onOpenLoop?: (openLoop: OpenLoop) => void,
): Promise<OnlineParts> {
  const { run, from, engine } = options;
  const { kind, preset, overrides } = launch.learner;
  if (kind === 'dreamer' && launch.learner.demos)
    throw new UserError(`${launch.path}: learner.demos goes with kind "sac", not "dreamer"`);
  const identity = from ? readIdentity(from) : undefined;
  if (identity && identity.algorithm !== kind)
    throw new UserError(
      `${from}: was trained by "${identity.algorithm}", ${launch.path} has learner: kind "${kind}"`,
    );
  if (identity && JSON.stringify(identity.camera) !== JSON.stringify(robot.spec.camera))
    throw new UserError(
      `${from}: was trained with camera ${JSON.stringify(identity.camera)}, ${robot.path} has ${JSON.stringify(robot.spec.camera)}`,
    );
  const setup = identity
    ? resumedLearner(kind, robot, task, { ...identity.learner, ...overrides })
    : setUpLearner(
        kind,
        robot,
        task,
        { preset, overrides, demonstrated: launch.learner.demos !== undefined },
        `${launch.path}: learner.overrides`,
      );
  const own = existsSync(join(run, ONLINE_FILES.checkpoint));
  const path = join(run, ONLINE_FILES.replay);
  // The training run keeps its own: this learner's transitions must not displace what it resumes from.
  if (from && !own) copyFileSync(join(from, ONLINE_FILES.replay), path);
  const replay = new Replay({
    observation: observationSize(task.contract),
    action: robot.spec.joints.length,
    capacity: identity?.recipe.replay ?? launch.learner.replay,
    ...setup.returns,
    path,
  });
  const source = own ? run : from;
  const saved = source ? loadCheckpoint(join(source, ONLINE_FILES.checkpoint)) : undefined;
  const { learner: ofLearner, online } = (saved?.state ?? {}) as unknown as Partial<SavedState>;
  const state = own ? online : undefined;
  const demonstrations = await openDemonstrations(launch, robot, task, replay, setup, options, !state);
  const { learner } = await setup.open({
    replay,
    demonstrations,
    leastShown: LEAST_SHOWN,
    seed: launch.seed,
    purpose: 'online',
    threads: 1,
    engine,
    onNote,
    onOpenLoop,
  });
  if (saved && ofLearner) {
    const tensors = Object.entries(saved.tensors).filter(([name]) => !name.startsWith('trainer.'));
    learner.load({ tensors: Object.fromEntries(tensors), state: ofLearner });
  }
  return { setup, learner, demonstrations, state };
}

/**
 * What the launch file's dataset shows, read when a run begins, and what a person will show while it
 * goes on: kept in the run's folder.
 */
async function openDemonstrations(
  { learner: { demos } }: Launch,
  { spec }: Robot,
  task: Task,
  { contract }: Replay,
  { returns }: LearnerSetup,
  { run }: OnlineFolders,
  begins: boolean,
): Promise<Replay> {
  const shown = begins && demos ? await demonstratedSteps(demos, spec, task) : [];
  const path = join(run, ONLINE_FILES.demonstrations);
  // Left by a life that ended before its first checkpoint.
  if (begins) rmSync(path, { force: true });
  const demonstrations = new Replay({ ...contract, capacity: DEMONSTRATIONS, ...returns, path });
  for (const transition of shown) demonstrations.add({ stream: 0, ...transition });
  demonstrations.cut(0);
  return demonstrations;
}

function readIdentity(run: string): {
  algorithm: LearnerKind;
  learner: LearnerSetup['config'];
  recipe: { replay: number };
  camera?: CameraSpec;
} {
  const path = join(run, ONLINE_FILES.identity);
  if (!existsSync(path)) throw new UserError(`${run}: not a training run (no ${ONLINE_FILES.identity})`);
  return JSON.parse(readFileSync(path, 'utf8'));
}
