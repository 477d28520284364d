import { UserError } from '../../base/errors.js';
import type { Evaluation } from '../../policy/manifest.js';
import type { LearnerCheckpoint, ReplayLearner } from '../replayLearner.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { type Collector, Ending, type Rollout } from './collector.js';
import type { RunLog } from './metrics.js';
import type { Recipe } from './recipes.js';

/** How far a run has come; what its checkpoint holds beside the tensors. */
interface RunState {
  steps: number;
  updates: number;
  rounds: number;
  episodes: number;
  /** Transitions that had been stored. */
  stored: number;
  /** Updates owed by the ratio, a fraction. */
  debt: number;
  passedInARow: number;
  learner: LearnerCheckpoint['state'];
  candidate: { step: number; round: number } | null;
  best: { step: number; evaluation: Evaluation } | null;
}

/** The newest figures, for a progress display. */
export interface TrainingProgress {
  readonly steps: number;
  readonly totalSteps: number;
  readonly updates: number;
  readonly episodeReturn: number;
  readonly evaluation: Evaluation | undefined;
}

export interface TrainerOptions {
  readonly learner: ReplayLearner;
  readonly collector: Collector;
  readonly recipe: Recipe;
  readonly policy_hz: number;
  readonly passes: (evaluation: Evaluation) => boolean;
  readonly lasts?: (evaluation: Evaluation) => boolean;
  readonly checkpointPath: string;
  /** Updates on what the replay holds already, before anything is collected; nothing is then done at random. */
  readonly pretrain?: number;
  /** Goes on with a replay that lost transitions of the run, instead of refusing. */
  readonly acceptLoss?: boolean;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface TrainingResult {
  readonly steps: number;
  readonly updates: number;
  readonly robotMinutes: number;
  /** The weights that did best in evaluation, and what they did there. */
  readonly parameters: Float32Array;
  readonly selection: Evaluation | undefined;
  /** False where `stop` ended it: the checkpoint goes on from there. */
  readonly finished: boolean;
}

/** Environment steps between two lines of metrics, and between two checkpoints. */
const REPORT_STEPS = 512;
const CHECKPOINT_STEPS = 2048;
/** Episodes whose mean return is reported. */
const RECENT = 10;

/**
 * Trains off policy, in rounds: while simulation workers step under the policy of the round
 * before, the learner updates from what has been collected so far. Who does how much in a round is
 * fixed, so a seed repeats a run bit for bit, however fast either side is. Candidates are evaluated
 * beside training on seeds of their own, and the best is kept, since a policy that walks does not
 * stay one by itself.
 */
export class Trainer {
  private state: RunState;
  private candidateParameters: Float32Array;
  private bestParameters: Float32Array;
  private readonly returns: number[] = [];
  private readonly lengths: number[] = [];
  private latestEvaluation: Evaluation | undefined;
  private stopping = false;

  constructor(private readonly options: TrainerOptions) {
    this.candidateParameters = options.learner.policyParameters();
    this.bestParameters = this.candidateParameters;
    this.state = {
      steps: 0,
      updates: 0,
      rounds: 0,
      episodes: 0,
      stored: 0,
      debt: 0,
      passedInARow: 0,
      learner: { updates: 0, random: [], sampling: [] },
      candidate: null,
      best: null,
    };
  }

  /** Environment steps so far. */
  get steps(): number {
    return this.state.steps;
  }

  /**
   * Goes on from the run's checkpoint. @returns why it was an older one, where it was
   * @throws UserError where there is no good one, or it is of a learner of other sizes
   */
  resume(): string | undefined {
    const { learner, checkpointPath, acceptLoss } = this.options;
    const { replay } = learner;
    const { state, tensors, warning } = loadCheckpoint(checkpointPath);
    const { 'trainer.candidate': candidate, 'trainer.best': best, ...ofLearner } = tensors;
    this.state = state as unknown as RunState;
    learner.load({ tensors: ofLearner, state: this.state.learner });
    this.candidateParameters = candidate;
    this.bestParameters = best;
    // What a crash left beyond the checkpoint is collected again.
    replay.rewind(this.state.stored);
    const missing = this.state.stored - replay.added + (replay.recovery?.lost ?? 0);
    if (missing > 0 && !acceptLoss)
      throw new UserError(
        `${checkpointPath}: its replay holds ${replay.size} transitions, ${missing} fewer than the run had stored; --accept-loss goes on with those, --fresh starts anew`,
      );
    return warning;
  }

  /** Ends `run` after the round it is in. */
  stop(): void {
    this.stopping = true;
  }

  async run(log: RunLog): Promise<TrainingResult> {
    const { recipe, learner, collector, policy_hz } = this.options;
    const { state } = this;
    await this.pretrain();
    this.beginEvaluation();
    while (state.steps < recipe.steps && !this.learned && !this.stopping) {
      const warm = state.steps < recipe.warmup && !this.options.pretrain;
      const collecting = collector.collect(recipe.round, warm ? undefined : learner.policyParameters());
      // The learner's failure must not leave a rejected promise of the collector behind, nor the reverse.
      const [rollouts] = await Promise.all([collecting, this.update()]);
      for (const rollout of rollouts) this.store(rollout);
      state.rounds++;
      if (state.steps > recipe.warmup)
        state.debt += recipe.round * collector.environments * recipe.updates_per_step;
      this.finishEvaluation(log);
      await this.report(log);
    }
    this.save();
    return {
      steps: state.steps,
      updates: state.updates,
      robotMinutes: state.steps / policy_hz / 60,
      parameters: state.best ? this.bestParameters : learner.policyParameters(),
      selection: state.best?.evaluation,
      finished: !this.stopping,
    };
  }

  /** Learns from what others have lived through. */
  private async pretrain(): Promise<void> {
    const { learner, pretrain = 0 } = this.options;
    for (; this.state.updates < pretrain && this.state.steps === 0 && !this.stopping; this.state.updates++) {
      await learner.update();
      this.progress();
    }
  }

  /** Passed often enough in a row, and the best of them lasts. */
  private get learned(): boolean {
    const { best, passedInARow } = this.state;
    const { recipe, lasts } = this.options;
    return passedInARow >= recipe.stop_after && best !== null && (lasts?.(best.evaluation) ?? true);
  }

  /** The updates that are owed, once there is enough to learn from. */
  private async update(): Promise<void> {
    const { learner } = this.options;
    if (!learner.ready) return;
    for (; this.state.debt >= 1; this.state.debt--) {
      await learner.update();
      this.state.updates++;
    }
  }

  private store(rollout: Rollout): void {
    const { replay } = this.options.learner;
    const { observation: O, action: A } = replay.contract;
    for (let row = 0; row < rollout.count; row++) {
      const ending = rollout.ending[row];
      const stream = rollout.stream[row];
      this.state.steps++;
      if (ending === Ending.interrupted) {
        replay.cut(stream);
        continue;
      }
      replay.add({
        stream,
        observation: rollout.observation.subarray(row * O, (row + 1) * O),
        action: rollout.action.subarray(row * A, (row + 1) * A),
        reward: rollout.reward[row],
        nextObservation: rollout.nextObservation.subarray(row * O, (row + 1) * O),
        terminal: ending === Ending.terminated,
        truncated: ending === Ending.truncated,
      });
    }
    this.returns.push(...rollout.episodeReturns);
    this.lengths.push(...rollout.episodeSteps);
    this.state.episodes += rollout.episodeReturns.length;
    this.returns.splice(0, this.returns.length - RECENT);
    this.lengths.splice(0, this.lengths.length - RECENT);
  }

  /** The newest policy becomes the candidate; before there is one, nothing is evaluated. */
  private beginEvaluation(): void {
    const { state } = this;
    const { learner, collector } = this.options;
    if (state.updates === 0) return;
    this.candidateParameters = learner.policyParameters();
    state.candidate = { step: state.steps, round: state.rounds };
    collector.beginEvaluation(this.candidateParameters, state.rounds);
  }

  private finishEvaluation(log: RunLog): void {
    const { state } = this;
    const { collector, passes } = this.options;
    if (!state.candidate) {
      this.beginEvaluation();
      return;
    }
    const evaluation = collector.takeEvaluation();
    if (!evaluation) return;
    this.latestEvaluation = evaluation;
    const passed = passes(evaluation);
    state.passedInARow = passed ? state.passedInARow + 1 : 0;
    if (!state.best || this.isBetter(evaluation, state.best.evaluation)) {
      state.best = { step: state.candidate.step, evaluation };
      this.bestParameters = this.candidateParameters;
    }
    log.write({
      step: state.steps,
      candidate: state.candidate.step,
      passed,
      ...prefixed('eval_', evaluation),
    });
    this.beginEvaluation();
  }

  /** Passing comes first, then a gait that lasts, then the return. */
  private isBetter(a: Evaluation, b: Evaluation): boolean {
    const { passes, lasts } = this.options;
    if (passes(a) !== passes(b)) return passes(a);
    if (lasts && lasts(a) !== lasts(b)) return lasts(a);
    return (a.mean_return ?? Number.NEGATIVE_INFINITY) > (b.mean_return ?? Number.NEGATIVE_INFINITY);
  }

  private async report(log: RunLog): Promise<void> {
    const { state, returns, lengths } = this;
    const { recipe, learner, collector, policy_hz } = this.options;
    const { replay } = learner;
    const perRound = recipe.round * collector.environments;
    const every = (n: number) => Math.floor(state.steps / n) > Math.floor((state.steps - perRound) / n);
    this.progress();
    if (every(REPORT_STEPS)) {
      log.write(
        {
          step: state.steps,
          robot_minutes: state.steps / policy_hz / 60,
          episodes: state.episodes,
          episode_return: mean(returns),
          episode_steps: mean(lengths),
          updates: state.updates,
          replay: replay.size,
          replay_capacity: replay.capacity,
          ...learner.metrics(),
          ...(await learner.study?.()),
        },
        { time: new Date().toISOString() },
      );
    }
    if (every(CHECKPOINT_STEPS)) this.save();
  }

  private progress(): void {
    const { state } = this;
    this.options.onProgress?.({
      steps: state.steps,
      totalSteps: this.options.recipe.steps,
      updates: state.updates,
      episodeReturn: mean(this.returns),
      evaluation: this.latestEvaluation,
    });
  }

  private save(): void {
    const { learner, checkpointPath } = this.options;
    const { tensors, state } = learner.save();
    this.state.learner = state;
    learner.replay.flush();
    this.state.stored = learner.replay.added;
    saveCheckpoint(checkpointPath, {
      state: this.state as never,
      tensors: {
        ...tensors,
        'trainer.candidate': this.candidateParameters,
        'trainer.best': this.bestParameters,
      },
    });
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function prefixed(prefix: string, evaluation: Evaluation): Record<string, number | null> {
  return Object.fromEntries(Object.entries(evaluation).map(([k, v]) => [prefix + k, v ?? null]));
}

/** @throws UserError where a run was made for something else than what is asked now */
export function checkSameRun(path: string, was: Record<string, unknown>, is: Record<string, unknown>): void {
  for (const key of Object.keys(is)) {
    if (JSON.stringify(was[key]) !== JSON.stringify(is[key]))
      throw new UserError(
        `${path}: this run has ${key} ${JSON.stringify(was[key])}, not ${JSON.stringify(is[key])}; name another --out to start anew`,
      );
  }
}
