import { Worker } from 'node:worker_threads';
import { UserError } from '../src/base/errors.js';
import { Random } from '../src/base/random.js';
import type { Collector, Rollout } from '../src/learn/trainer/collector.js';
import type { Evaluation } from '../src/policy/manifest.js';
import type { Robot } from '../src/robot/load.js';
import { feetOf } from '../src/robot/spec.js';
import type { Task, TaskParameters } from '../src/tasks/task.js';
import { type WarmUpKind, warmUpActions } from '../src/tasks/warmUpActions.js';
import type { Actor } from './actor.js';
import { type EpisodeOutcome, summarise } from './evaluate.js';
import { compileMujoco } from './mujoco.js';
import { evaluationRandomisation, type Randomisation, trainingRandomisation } from './randomise.js';
import type { RolloutReply, RolloutRequest, RolloutWorkerData } from './rolloutWorker.js';

export interface RolloutPoolOptions {
  readonly robot: Robot;
  readonly task: Task;
  /** What the task was made with. */
  readonly parameters?: TaskParameters;
  readonly actor: Actor;
  readonly seed: number;
  readonly workers: number;
  /** How the robot moves before there is a policy; uniform when left out. */
  readonly warmUp?: WarmUpKind;
  /** In all; shared out over the workers. */
  readonly environments: number;
  /** So many of these act without exploration; none when left out. */
  readonly greedy?: number;
  /** Of the evaluation that runs beside training. */
  readonly evaluation: {
    readonly episodes: number;
    readonly seconds_each: number;
    readonly stepsPerRound: number;
  };
  readonly training?: Randomisation;
}

/** A worker thread that answers one request after another. */
class RolloutThread {
  private readonly worker: Worker;
  private readonly waiting: { resolve(reply: RolloutReply): void; reject(error: Error): void }[] = [];
  readonly ready: Promise<RolloutReply>;

  constructor(workerData: RolloutWorkerData) {
    this.worker = new Worker(new URL('./rolloutWorker.js', import.meta.url), { workerData });
    this.ready = new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.worker.on('message', (reply: RolloutReply) => {
      const { resolve, reject } = this.waiting.shift()!;
      if (!reply.error) resolve(reply);
      else reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
    });
    this.worker.on('error', (error) => {
      for (const { reject } of this.waiting.splice(0))
        reject(error.name === 'UserError' ? new UserError(error.message) : error);
    });
  }

  ask(request: RolloutRequest): Promise<RolloutReply> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Simulations over worker threads that share one compiled MuJoCo, collecting and evaluating for a trainer. */
export class RolloutPool implements Collector {
  private outcomes: EpisodeOutcome[] = [];
  private evaluating = false;
  private readonly legged: boolean;

  private constructor(
    private readonly options: RolloutPoolOptions,
    private readonly threads: readonly RolloutThread[],
  ) {
    this.legged = feetOf(options.robot.spec).length > 0;
  }

  static async create(options: RolloutPoolOptions): Promise<RolloutPool> {
    const { warmUp = 'uniform', task } = options;
    // What is refused is refused here, and not by a worker.
    warmUpActions(warmUp, task, options.robot.spec, new Random(options.seed));
    const compiled = await compileMujoco();
    const workers = Math.min(options.workers, options.environments);
    const threads = Array.from(
      { length: workers },
      (_, w) =>
        new RolloutThread({
          compiled,
          robotPath: options.robot.path,
          task: options.task.name,
          parameters: options.parameters,
          actor: options.actor,
          seed: options.seed,
          warmUp,
          greedy: options.greedy ?? 0,
          streams: Array.from({ length: options.environments }, (_, s) => s).filter((s) => s % workers === w),
          training: options.training ?? trainingRandomisation,
          evaluation: evaluationRandomisation,
        }),
    );
    await Promise.all(threads.map((t) => t.ready));
    return new RolloutPool(options, threads);
  }

  get environments(): number {
    return this.options.environments;
  }

  async collect(steps: number, parameters: Float32Array | undefined): Promise<Rollout[]> {
    const evaluationSteps = Math.ceil(this.options.evaluation.stepsPerRound / this.threads.length);
    const replies = await Promise.all(
      this.threads.map((t) => t.ask({ kind: 'collect', steps, parameters, evaluationSteps })),
    );
    for (const { outcomes } of replies) this.outcomes.push(...outcomes);
    return replies.map((r) => r.rollout!);
  }

  beginEvaluation(parameters: Float32Array, round: number): void {
    this.outcomes = [];
    this.evaluating = true;
    const { episodes, seconds_each } = this.options.evaluation;
    void this.spread(parameters, episodes, seconds_each, `evaluation/${round}`, this.options.seed, false);
  }

  takeEvaluation(): Evaluation | undefined {
    const { episodes, seconds_each } = this.options.evaluation;
    if (!this.evaluating || this.outcomes.length < episodes) return undefined;
    this.evaluating = false;
    return summarise(this.outcomes, seconds_each, this.legged);
  }

  async evaluate(
    parameters: Float32Array,
    episodes: number,
    seconds_each: number,
    seed: number,
  ): Promise<Evaluation> {
    const replies = await this.spread(parameters, episodes, seconds_each, 'evaluation', seed, true);
    return summarise(
      replies.flatMap((r) => r.outcomes),
      seconds_each,
      this.legged,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((t) => t.close()));
  }

  private spread(
    parameters: Float32Array,
    episodes: number,
    seconds_each: number,
    purpose: string,
    seed: number,
    now: boolean,
  ): Promise<RolloutReply[]> {
    const steps = Math.round(seconds_each * this.options.robot.spec.rates.policy_hz);
    const seeds = Array.from({ length: episodes }, (_, e) => Random.stream(seed, purpose, e).uint32());
    return Promise.all(
      this.threads.map((t, w) =>
        t.ask({
          kind: 'evaluate',
          parameters,
          seeds: seeds.filter((_, e) => e % this.threads.length === w),
          steps,
          now,
        }),
      ),
    );
  }
}
