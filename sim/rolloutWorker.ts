import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '../src/base/random.js';
import { Ending, type Rollout } from '../src/learn/trainer/collector.js';
import type { Exploration } from '../src/policy/policy.js';
import { loadRobot } from '../src/robot/load.js';
import { createTask } from '../src/tasks/index.js';
import type { TaskParameters } from '../src/tasks/task.js';
import { type WarmUpActions, type WarmUpKind, warmUpActions } from '../src/tasks/warmUpActions.js';
import { type Actor, type TrainedPolicy, trainedPolicy } from './actor.js';
import { Environment } from './environment.js';
import { type EpisodeOutcome, EpisodeRun } from './evaluate.js';
import { loadMujoco } from './mujoco.js';
import type { Randomisation } from './randomise.js';

export interface RolloutWorkerData {
  readonly compiled: WebAssembly.Module;
  readonly robotPath: string;
  readonly task: string;
  readonly parameters?: TaskParameters;
  readonly actor: Actor;
  readonly seed: number;
  /** How a robot moves before there is a policy. */
  readonly warmUp: WarmUpKind;
  /** The environments of lower numbers act without exploration. */
  readonly greedy: number;
  /** Numbers of this worker's environments. */
  readonly streams: readonly number[];
  readonly training: Randomisation;
  readonly evaluation: Randomisation;
}

export type RolloutRequest =
  | {
      readonly kind: 'collect';
      readonly steps: number;
      readonly parameters: Float32Array | undefined;
      /** Steps that a running evaluation moves on by. */
      readonly evaluationSteps: number;
    }
  | {
      /** Queues episodes; they run inside later `collect`s, or at once where `now`. */
      readonly kind: 'evaluate';
      readonly parameters: Float32Array;
      readonly seeds: readonly number[];
      readonly steps: number;
      readonly now: boolean;
    };

export interface RolloutReply {
  readonly rollout?: Rollout;
  /** Episodes of evaluation that ended. */
  readonly outcomes: readonly EpisodeOutcome[];
  readonly error?: { readonly name: string; readonly message: string };
}

const data = workerData as RolloutWorkerData;

/** One environment and its place in its run of episodes. */
class Stream {
  readonly observation: Float32Array;
  return = 0;
  private episode = 0;

  constructor(
    readonly number: number,
    readonly env: Environment,
    readonly warmUp: WarmUpActions,
    /** Of its own, since it may remember. */
    readonly policy: TrainedPolicy,
    readonly exploration: Exploration | undefined,
  ) {
    this.observation = new Float32Array(env.observation.length);
    this.begin();
  }

  begin(): void {
    this.return = 0;
    this.warmUp.begin();
    this.policy.reset();
    this.env.reset(Random.stream(data.seed, 'episode', this.number, this.episode++).uint32());
  }
}

/** A policy on its way through its evaluation episodes. */
class EvaluationJob {
  private run: EpisodeRun | undefined;
  private next = 0;

  constructor(
    private readonly env: Environment,
    private readonly policy: TrainedPolicy,
    private readonly seeds: readonly number[],
    private readonly steps: number,
  ) {}

  get done(): boolean {
    return this.run === undefined && this.next === this.seeds.length;
  }

  /** Moves on by so many steps at most. @returns the episodes that ended */
  advance(steps: number): EpisodeOutcome[] {
    const outcomes: EpisodeOutcome[] = [];
    for (let k = 0; k < steps && !this.done; k++) {
      this.run ??= new EpisodeRun(this.env, this.policy, this.seeds[this.next++], this.steps);
      this.run.step();
      if (!this.run.done) continue;
      outcomes.push(this.run.outcome());
      this.run = undefined;
    }
    return outcomes;
  }
}

const mj = await loadMujoco(data.compiled);
const robot = loadRobot(data.robotPath);
const task = createTask(data.task, robot.spec, data.parameters);
const newPolicy = () => trainedPolicy(data.actor, robot.spec, task);
const candidate = newPolicy();
const evaluationEnv = new Environment(mj, robot, task, data.evaluation);
const random = Random.stream(data.seed, 'exploration', data.streams[0] ?? 0);
const streams = data.streams.map(
  (n) =>
    new Stream(
      n,
      new Environment(mj, robot, task, data.training),
      warmUpActions(data.warmUp, task, robot.spec, random),
      newPolicy(),
      n < data.greedy ? undefined : { random, scale: 1 },
    ),
);
let job: EvaluationJob | undefined;

function collect(steps: number, parameters: Float32Array | undefined): Rollout {
  const rows = steps * streams.length;
  const [O, A] = [evaluationEnv.observation.length, evaluationEnv.executedAction.length];
  const rollout = {
    count: rows,
    stream: new Int32Array(rows),
    ending: new Uint8Array(rows),
    reward: new Float32Array(rows),
    observation: new Float32Array(rows * O),
    action: new Float32Array(rows * A),
    nextObservation: new Float32Array(rows * O),
    episodeReturns: [] as number[],
    episodeSteps: [] as number[],
  };
  if (parameters) for (const { policy } of streams) policy.setParameters(parameters);
  const action = new Float32Array(A);
  let row = 0;
  for (let t = 0; t < steps; t++) {
    for (const stream of streams) {
      const { env, policy } = stream;
      rollout.observation.set(env.observation, row * O);
      if (parameters) policy.act(env.observation, action, stream.exploration);
      else stream.warmUp.next(action);
      const { reward, ending } = env.step(action);
      policy.executed?.(env.executedAction);
      stream.return += reward;
      rollout.stream[row] = stream.number;
      rollout.ending[row] = Ending[ending];
      rollout.reward[row] = reward;
      rollout.action.set(env.executedAction, row * A);
      rollout.nextObservation.set(env.observation, row * O);
      row++;
      if (ending === 'none') continue;
      rollout.episodeReturns.push(stream.return);
      rollout.episodeSteps.push(env.steps);
      stream.begin();
    }
  }
  return rollout;
}

function answer(request: RolloutRequest): RolloutReply {
  if (request.kind === 'collect') {
    const rollout = collect(request.steps, request.parameters);
    const outcomes = job?.advance(request.evaluationSteps) ?? [];
    if (job?.done) job = undefined;
    return { rollout, outcomes };
  }
  candidate.setParameters(request.parameters);
  job = new EvaluationJob(evaluationEnv, candidate, request.seeds, request.steps);
  if (!request.now) return { outcomes: [] };
  const outcomes = job.advance(Number.POSITIVE_INFINITY);
  job = undefined;
  return { outcomes };
}

parentPort?.on('message', (request: RolloutRequest) => {
  let reply: RolloutReply;
  try {
    reply = answer(request);
  } catch (error) {
    const { name, message } = error as Error;
    reply = { outcomes: [], error: { name, message } };
  }
  parentPort?.postMessage(reply);
});
parentPort?.postMessage({ outcomes: [] } satisfies RolloutReply);
