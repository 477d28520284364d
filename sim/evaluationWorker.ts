import { parentPort, workerData } from 'node:worker_threads';
import type { Bundle } from '../src/policy/bundle.js';
import { loadPolicy } from '../src/policy/inference.js';
import { loadRobot } from '../src/robot/load.js';
import { createTask } from '../src/tasks/index.js';
import type { TaskParameters } from '../src/tasks/task.js';
import { Environment } from './environment.js';
import { type EpisodeOutcome, runEpisode } from './evaluate.js';
import { loadMujoco } from './mujoco.js';
import type { Randomisation } from './randomise.js';

export interface EvaluationWorkerData {
  readonly compiled: WebAssembly.Module;
  readonly robotPath: string;
  readonly bundle: Bundle;
  readonly parameters?: TaskParameters;
  readonly randomisation: Randomisation;
  /** Policy steps of an episode. */
  readonly steps: number;
}

/** An episode to run. */
export interface EpisodeRequest {
  readonly episode: number;
  readonly seed: number;
}

/** An episode that was run, or why it could not be; without either, the worker is ready for its first. */
export interface EpisodeReply {
  readonly episode?: number;
  readonly outcome?: EpisodeOutcome;
  readonly error?: { readonly name: string; readonly message: string };
}

const port = parentPort!;

async function prepare(data: EvaluationWorkerData): Promise<(seed: number) => EpisodeOutcome> {
  const robot = loadRobot(data.robotPath);
  const task = createTask(data.bundle.manifest.task, robot.spec, data.parameters);
  const policy = loadPolicy(data.bundle);
  const environment = new Environment(await loadMujoco(data.compiled), robot, task, data.randomisation);
  return (seed) => runEpisode(environment, policy, seed, data.steps);
}

function failed(error: unknown): EpisodeReply {
  const { name, message } = error as Error;
  return { error: { name, message } };
}

try {
  const run = await prepare(workerData as EvaluationWorkerData);
  port.on('message', ({ episode, seed }: EpisodeRequest) => {
    let reply: EpisodeReply;
    try {
      reply = { episode, outcome: run(seed) };
    } catch (error) {
      reply = failed(error);
    }
    port.postMessage(reply);
  });
  port.postMessage({} satisfies EpisodeReply);
} catch (error) {
  port.postMessage(failed(error));
}
