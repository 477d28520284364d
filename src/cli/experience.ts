import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { ReplayContract } from '../learn/replay/record.js';
import { Replay } from '../learn/replay/replay.js';
import type { Robot } from '../robot/load.js';
import type { Task, TaskParameters } from '../tasks/task.js';
import { FILES } from './runFiles.js';

/** Numbers of streams that a run itself never gives. */
const FOREIGN_STREAMS = 1_000_000;

/**
 * What another run has lived through, whatever learned there.
 * @param run its folder
 * @param parameters of the task, which its rewards depend on
 * @throws UserError where there is none, or it is of another robot, task or contract
 */
export function openExperience(
  run: string,
  contract: ReplayContract,
  robot: Robot,
  task: Task,
  parameters: TaskParameters = {},
): Replay {
  const path = join(run, FILES.identity);
  const file = join(run, FILES.replay);
  for (const needed of [path, file])
    if (!existsSync(needed)) throw new UserError(`${run}: not a training run (no ${needed})`);
  const was = JSON.parse(readFileSync(path, 'utf8'));
  const { camera = null } = robot.spec;
  const of = {
    robot: was.robot,
    task: was.task,
    parameters: was.parameters ?? {},
    camera: was.camera ?? null,
  };
  const is = { robot: robot.spec.name, task: task.name, parameters, camera };
  for (const key of ['robot', 'task', 'parameters', 'camera'] as const) {
    const [theirs, ours] = [of[key], is[key]].map((x) => JSON.stringify(x));
    if (theirs !== ours)
      throw new UserError(`${path}: this run has ${key} ${theirs}, its experience is not of ${ours}`);
  }
  const replay = new Replay({ ...contract, capacity: was.recipe.replay, discount: 1, path: file });
  if (replay.size > 0) return replay;
  replay.close();
  throw new UserError(`${file}: holds no transition`);
}

/**
 * Adds all of it to a run's own replay, as the oldest that it holds.
 * @param demonstrated its actions are worth imitating
 */
export function copyExperience(from: Replay, into: Replay, demonstrated: boolean): void {
  for (const transition of from.transitions())
    into.add({ ...transition, stream: FOREIGN_STREAMS + transition.stream, demonstrated });
}
