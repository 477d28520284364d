import { setImmediate, setTimeout } from 'node:timers/promises';
import { Random } from '../../base/random.js';
import type { Evaluation } from '../../policy/manifest.js';
import type { Mirror } from '../../tasks/task.js';
import { MirrorAugmentation } from '../replay/mirror.js';
import type { Replay } from '../replay/replay.js';
import { ReplayBatch } from '../replay/transition.js';
import type { SacLearner, SacMetrics } from '../sac/index.js';
import { objection } from './gate.js';

/** A step that a robot made; `Experience` of src/fleet is one. */
export interface OnlineTransition {
  readonly episode: number;
  readonly step: number;
  readonly terminal: boolean;
  readonly truncated: boolean;
  readonly reward: number;
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly nextObservation: Float32Array;
}

export interface OnlineMetrics extends Partial<SacMetrics> {
  /** Updates and transitions of this process, and its updates in the last second. */
  readonly updates: number;
  readonly transitions: number;
  readonly updates_per_s: number;
  /** Transitions in the replay, and how many it holds. */
  readonly replay: number;
  readonly replay_capacity: number;
  readonly candidates: number;
  readonly published: number;
}

export interface OnlineLearnerOptions {
  readonly learner: SacLearner;
  readonly replay: Replay;
  readonly seed: number;
  /** Symmetry of robot and task. */
  readonly mirror?: { readonly observation: Mirror; readonly action: Mirror };
  /** Most updates for each transition that comes. */
  readonly updatesPerStep: number;
  /** Transitions in the replay before the first update. */
  readonly warmup: number;
  /** Updates between candidates. */
  readonly evaluateEvery: number;
  /** What the policy in use reached, or undefined where there is none: then the first policy goes out untried. */
  readonly inUse: Evaluation | undefined;
  /** Judges the actor with these weights, always on the same episodes. */
  readonly evaluate: (parameters: Float32Array) => Promise<Evaluation>;
  readonly publish: (parameters: Float32Array, evaluation: Evaluation | undefined) => Promise<void>;
  /** Once a second. */
  readonly onMetrics: (metrics: OnlineMetrics) => void;
  readonly onNotice: (line: string) => void;
}

/** Updates that may be owed: a learner that cannot keep up does not fall behind without end. */
const MOST_OWED = 2000;
/** The robot's stream in a replay that may hold those of the pretraining's environments as well. */
const STREAM = 1 << 16;
const IDLE_MS = 20;
const METRICS_MS = 1000;

/**
 * Learns from what a robot does while it does it: so many updates for each transition that comes, and
 * every so often a candidate, which is published only where it is no worse than the policy in use.
 */
export class OnlineLearner {
  private readonly batch: ReplayBatch;
  private readonly random: Random;
  private readonly mirror: MirrorAugmentation | undefined;
  private inUse: Evaluation | undefined;
  private owed = 0;
  private updates = 0;
  private transitions = 0;
  private candidates = 0;
  private published = 0;
  private previous: { episode: number; step: number } | undefined;
  private stopping = false;

  constructor(private readonly options: OnlineLearnerOptions) {
    const { learner, replay, mirror, seed, inUse } = options;
    this.batch = new ReplayBatch(learner.options.config.batch, replay.contract);
    this.random = Random.stream(seed, 'online');
    this.mirror = mirror && new MirrorAugmentation(mirror.observation, mirror.action);
    this.inUse = inUse;
  }

  /** Stores transitions, in order, durably. @param gap some before these are lost */
  add(transitions: readonly OnlineTransition[], gap: boolean): void {
    const { replay, updatesPerStep } = this.options;
    if (gap) this.previous = undefined;
    for (const t of transitions) {
      const follows = this.previous?.episode === t.episode && this.previous.step + 1 === t.step;
      if (!follows) replay.cut(STREAM);
      replay.add({ stream: STREAM, ...t });
      this.previous = t;
      this.transitions++;
    }
    replay.flush();
    this.owed = Math.min(MOST_OWED, this.owed + updatesPerStep * transitions.length);
  }

  stop(): void {
    this.stopping = true;
  }

  /** Until `stop`. Rejects when an update fails: losses that are not finite, say. */
  async run(): Promise<void> {
    const { replay, learner, warmup, evaluateEvery, publish } = this.options;
    if (!this.inUse) await publish(learner.actorParameters(), undefined);
    let judging: Promise<void> | undefined;
    let judgedAt = 0;
    let before = 0;
    const metrics = globalThis.setInterval(() => {
      this.report(this.updates - before);
      before = this.updates;
    }, METRICS_MS);
    try {
      while (!this.stopping) {
        if (this.owed < 1 || replay.size < warmup) {
          await setTimeout(IDLE_MS);
          continue;
        }
        await this.update();
        if (this.updates - judgedAt >= evaluateEvery && !judging) {
          judgedAt = this.updates;
          judging = this.judge().finally(() => {
            judging = undefined;
          });
          judging.catch((error: Error) => this.options.onNotice(`evaluation failed: ${error.message}`));
        }
        // Messages are taken in between updates.
        await setImmediate();
      }
    } finally {
      clearInterval(metrics);
    }
  }

  private async update(): Promise<void> {
    const { learner, replay } = this.options;
    const { config } = learner.options;
    replay.sample(config.batch, this.random, this.batch);
    this.mirror?.apply(this.batch, this.random);
    await learner.step(this.batch, this.updates % config.actor_every === 0);
    this.updates++;
    this.owed--;
  }

  private async judge(): Promise<void> {
    const { learner, evaluate, publish, onNotice } = this.options;
    const parameters = learner.actorParameters();
    const evaluation = await evaluate(parameters);
    if (this.stopping) return;
    const number = ++this.candidates;
    const reason = objection(evaluation, this.inUse);
    if (reason) {
      onNotice(`candidate ${number} is not better: ${reason}`);
      return;
    }
    await publish(parameters, evaluation);
    this.inUse = evaluation;
    this.published++;
    onNotice(`candidate ${number} published: mean return ${evaluation.mean_return?.toFixed(1)}`);
  }

  private report(updates_per_s: number): void {
    const { learner, replay, onMetrics } = this.options;
    const { updates, transitions, candidates, published } = this;
    const measured = updates > 0 ? learner.metrics() : {};
    onMetrics({
      updates,
      transitions,
      updates_per_s,
      replay: replay.size,
      replay_capacity: replay.capacity,
      candidates,
      published,
      ...measured,
    });
  }
}
