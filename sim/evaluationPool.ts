import { Worker } from 'node:worker_threads';
import { UserError } from '../src/base/errors.js';
import { Random } from '../src/base/random.js';
import type { Bundle } from '../src/policy/bundle.js';
import type { Evaluation } from '../src/policy/manifest.js';
import type { Robot } from '../src/robot/load.js';
import { feetOf } from '../src/robot/spec.js';
import type { TaskParameters } from '../src/tasks/task.js';
import { type EpisodeOutcome, summarise } from './evaluate.js';
import type { EpisodeReply, EpisodeRequest, EvaluationWorkerData } from './evaluationWorker.js';
import { compileMujoco } from './mujoco.js';
import { evaluationRandomisation } from './randomise.js';

export interface EvaluationOptions {
  readonly robot: Robot;
  /** Already admitted for this robot. */
  readonly bundle: Bundle;
  /** Of its task. */
  readonly parameters?: TaskParameters;
  readonly episodes: number;
  readonly seconds_each: number;
  readonly seed: number;
  readonly workers: number;
  readonly onEpisode?: (done: number) => void;
}

/**
 * Judges a policy in simulation: every episode from a seed of its own, under the friction and pushes
 * that all policies are judged under, spread over worker threads that share one compiled MuJoCo.
 * Each worker takes the next episode when it is done with one; which worker ran an episode does not
 * show in the figures.
 * @throws UserError where the network cannot be run
 */
export async function evaluateBundle(options: EvaluationOptions): Promise<Evaluation> {
  const { robot, bundle, parameters, episodes, seconds_each, seed, onEpisode } = options;
  const data: EvaluationWorkerData = {
    compiled: await compileMujoco(),
    robotPath: robot.path,
    bundle,
    parameters,
    randomisation: evaluationRandomisation,
    steps: Math.max(1, Math.round(seconds_each * robot.spec.rates.policy_hz)),
  };
  const outcomes = new Array<EpisodeOutcome>(episodes);
  let given = 0;
  let done = 0;
  const next = (): EpisodeRequest | undefined =>
    given < episodes ? { episode: given, seed: Random.stream(seed, 'eval', given++).uint32() } : undefined;
  const threads = Array.from({ length: Math.min(options.workers, episodes) }, () =>
    work(data, next, (episode, outcome) => {
      outcomes[episode] = outcome;
      onEpisode?.(++done);
    }),
  );
  try {
    await Promise.all(threads.map((t) => t.finished));
  } finally {
    await Promise.all(threads.map((t) => t.worker.terminate()));
  }
  return summarise(outcomes, seconds_each, feetOf(robot.spec).length > 0);
}

/** Starts a worker that runs episodes until there are no more. */
function work(
  workerData: EvaluationWorkerData,
  next: () => EpisodeRequest | undefined,
  take: (episode: number, outcome: EpisodeOutcome) => void,
): { readonly worker: Worker; readonly finished: Promise<void> } {
  const worker = new Worker(new URL('./evaluationWorker.js', import.meta.url), { workerData });
  const finished = new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', ({ episode, outcome, error }: EpisodeReply) => {
      if (error) return reject(raised(error));
      if (episode !== undefined && outcome) take(episode, outcome);
      const request = next();
      if (request) worker.postMessage(request);
      else resolve();
    });
  });
  return { worker, finished };
}

/** Errors lose their class on the way between threads. */
function raised({ name, message }: { readonly name: string; readonly message: string }): Error {
  return name === 'UserError' ? new UserError(message) : Object.assign(new Error(message), { name });
}
