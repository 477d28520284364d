import { join } from 'node:path';
import { writeFileAtomic } from '../base/files.js';
import { type Dream, dreamOf, dreamPicture, HORIZONS, type OpenLoop } from '../learn/dreamer/index.js';
import type { ReplayLearner } from '../learn/replayLearner.js';
import type { RobotSpec } from '../robot/spec.js';
import type { Task } from '../tasks/task.js';

/** What a training run says of its world model. */
export interface WorldModelFigures {
  readonly reconstruction_loss: number | null;
  readonly reward_loss: number | null;
  readonly continue_loss: number | null;
  readonly kl_nats: number | null;
  /**
   * Error of predictions that see nothing any more, beside how much what is observed varies: 1 is what guessing the
   * mean achieves.
   */
  readonly open_loop_error: readonly HorizonError[];
  /** The same of the camera's picture, of a robot with one. */
  readonly open_loop_image_error?: readonly HorizonError[];
}

interface HorizonError {
  readonly horizon_s: number;
  readonly error: number;
}

/** Losses of the newest update, and how well the newest sequences of the replay are predicted. */
export async function studyWorldModel(learner: ReplayLearner, policy_hz: number): Promise<WorldModelFigures> {
  const metrics = learner.metrics();
  const errors = (await learner.study?.()) ?? {};
  const figure = (name: string) => (Number.isFinite(metrics[name]) ? metrics[name] : null);
  const byHorizon = (name: string): HorizonError[] =>
    HORIZONS.map((steps) => ({ horizon_s: steps / policy_hz, error: errors[`${name}_${steps}`] })).filter(
      ({ error }) => Number.isFinite(error),
    );
  return {
    reconstruction_loss: figure('reconstruction_loss'),
    reward_loss: figure('reward_loss'),
    continue_loss: figure('continue_loss'),
    kl_nats: figure('kl_nats'),
    open_loop_error: byHorizon('open_loop_error'),
    ...('open_loop_image_error_1' in errors && {
      open_loop_image_error: byHorizon('open_loop_image_error'),
    }),
  };
}

/** Of a run with a world model: what it expected, beside what happened, as a picture and as numbers. */
export const DREAM_FILES = { picture: 'dream.svg', traces: 'dream.json' } as const;

/** What the model expected, in the words of robot and task. */
export function dreamIn(openLoop: OpenLoop, { rates }: RobotSpec, { contract }: Task): Dream {
  const channels = contract.observation.flatMap(({ name, size, unit, image }) =>
    image ? [] : Array.from({ length: size }, (_, i) => ({ name: size === 1 ? name : `${name} ${i}`, unit })),
  );
  return dreamOf(openLoop, channels, 1 / rates.policy_hz);
}

/** Writes it into the folder of a run. */
export function writeDream(run: string, dream: Dream): void {
  writeFileAtomic(join(run, DREAM_FILES.picture), dreamPicture(dream));
  writeFileAtomic(join(run, DREAM_FILES.traces), JSON.stringify(dream));
}
