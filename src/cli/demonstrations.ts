import { UserError } from '../base/errors.js';
import { Dataset } from '../datasets/reader.js';
import type { DatasetTransition } from '../datasets/robotFrames.js';
import { transitionsOf } from '../datasets/robotFrames.js';
import { Replay } from '../learn/replay/replay.js';
import type { RobotSpec } from '../robot/spec.js';
import { observationSize, type Task } from '../tasks/task.js';

/**
 * The steps of a dataset of demonstrations.
 * @throws UserError where the dataset is not of this robot and task, or empty
 */
export async function demonstratedSteps(
  path: string,
  spec: RobotSpec,
  task: Task,
): Promise<DatasetTransition[]> {
  const dataset = await Dataset.open(path);
  const transitions: DatasetTransition[] = [];
  for await (const transition of transitionsOf(dataset, spec, task.contract)) transitions.push(transition);
  if (transitions.length === 0) throw new UserError(`${path}: holds no step to learn from`);
  return transitions;
}

/**
 * A dataset as a replay buffer, which holds all of it and nothing else.
 * @throws UserError where the dataset is not of this robot and task, or empty
 */
export async function readDemonstrations(
  path: string,
  spec: RobotSpec,
  task: Task,
  returns: { readonly discount: number; readonly nSteps: number },
): Promise<Replay> {
  const transitions = await demonstratedSteps(path, spec, task);
  const replay = new Replay({
    observation: observationSize(task.contract),
    action: spec.joints.length,
    capacity: transitions.length,
    ...returns,
  });
  for (const transition of transitions) replay.add({ stream: 0, ...transition });
  return replay;
}
