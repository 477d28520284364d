import { setImmediate, setTimeout } from 'node:timers/promises';
import { Random } from '../../base/random.js';
import type { Evaluation } from '../../policy/manifest.js';
import type { Experience } from '../../robot/experience.js';
import type { Mirror } from '../../tasks/task.js';
import { MirrorAugmentation } from '../replay/mirror.js';
import { MixedReplay } from '../replay/mixed.js';
import type { Replay } from '../replay/replay.js';
import { ReplayBatch } from '../replay/transition.js';
import type { SacLearner, SacMetrics } from '../sac/index.js';
import { objection } from './gate.js';

/** What a learner has done, over its restarts. */
export interface OnlineCounters {
  updates: number;
  candidates: number;
  published: number;
}

/** What a new life of a learner goes on from, beside weights and replay. */
export interface OnlineState {
  readonly counters: OnlineCounters;
  /** Transitions in the replay before the first that this learner took. */
  readonly replayBefore: number;
  readonly inUse: Evaluation | null;
  /** Of the random numbers that draw batches. */
  readonly random: readonly number[];
}

export interface OnlineMetrics extends OnlineCounters, Partial<SacMetrics> {
  /** Taken from robots. */
  readonly transitions: number;
  /** Updates in the last second. */
  readonly updates_per_s: number;
  /** Transitions in the replay, and how many it holds. */
  readonly replay: number;
  readonly replay_capacity: number;
}

export interface OnlineLearnerOptions {
  readonly learner: SacLearner;
  readonly replay: Replay;
  /**
   * What somebody has shown: steps in which a person commanded enter it beside the replay. Once it holds
   * enough, half of each batch comes from it.
   */
  readonly demonstrations?: Replay;
  readonly seed: number;
  /** Of an earlier life of this learner. */
  readonly state?: OnlineState;
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
  /** Hands a policy to the robots. @returns false where they gave it back */
  readonly publish: (parameters: Float32Array, evaluation: Evaluation | undefined) => Promise<boolean>;
  /** Once a second. */
  readonly onMetrics: (metrics: OnlineMetrics) => void;
  /** Every half minute, between two updates: time to write a checkpoint. */
  readonly save: () => void;
  readonly onNotice: (line: string) => void;
}

/** Updates that may be owed: a learner that cannot keep up does not fall behind without end. */
const MOST_OWED = 2000;
/** Steps that have to be shown before half of each batch comes from them: fewer would be repeated too often. */
const LEAST_SHOWN = 100;
const IDLE_MS = 20;
const METRICS_MS = 1000;
const SAVE_MS = 30_000;

/**
 * Learns from what a robot does while it does it: so many updates for each transition that comes, and
 * every so often a candidate, which is published only where it is no worse than the policy in use.
 */
export class OnlineLearner {
  private readonly batch: ReplayBatch;
  private readonly experience: MixedReplay;
  private readonly random: Random;
  private readonly mirror: MirrorAugmentation | undefined;
  private inUse: Evaluation | undefined;
  /** Of the policy before it. */
  private replaced: Evaluation | undefined;
  private owed = 0;
  private readonly counters: OnlineCounters;
  private readonly replayBefore: number;
  private measured = false;
  /** The newest step of each stream. */
  private readonly previous = new Map<number, { episode: number; step: number }>();
  private stopping = false;

  constructor(private readonly options: OnlineLearnerOptions) {
    const { learner, replay, demonstrations, mirror, seed, inUse, state } = options;
    this.experience = new MixedReplay(replay, demonstrations, LEAST_SHOWN);
    this.counters = { ...(state?.counters ?? { updates: 0, candidates: 0, published: 0 }) };
    this.replayBefore = state?.replayBefore ?? replay.added;
    this.batch = new ReplayBatch(learner.options.config.batch, replay.contract);
    this.random = Random.stream(seed, 'online');
    if (state) this.random.state = state.random;
    this.mirror = mirror && new MirrorAugmentation(mirror.observation, mirror.action);
    this.inUse = state?.inUse ?? inUse;
  }

  /**
   * Takes transitions of one robot, in order. They are durable once the replay is flushed.
   * @param stream of that robot in the replay
   * @param gap some before these are lost
   */
  add(stream: number, transitions: readonly Experience[], gap: boolean): void {
    const { replay, demonstrations, updatesPerStep } = this.options;
    let previous = gap ? undefined : this.previous.get(stream);
    for (const t of transitions) {
      const follows = previous?.episode === t.episode && previous.step + 1 === t.step;
      if (!follows) replay.cut(stream);
      replay.add({ stream, ...t });
      if (!follows || !t.person) demonstrations?.cut(stream);
      if (t.person) demonstrations?.add({ stream, ...t });
      previous = t;
    }
    if (previous) this.previous.set(stream, { episode: previous.episode, step: previous.step });
    this.owed = Math.min(MOST_OWED, this.owed + updatesPerStep * transitions.length);
  }

  /** What a new life of this learner goes on from. */
  save(): OnlineState {
    const { counters, replayBefore, inUse, random } = this;
    return { counters: { ...counters }, replayBefore, inUse: inUse ?? null, random: random.state };
  }

  /** The robots went back to the policy before the newest. */
  givenBack(): void {
    this.inUse = this.replaced ?? this.inUse;
  }

  stop(): void {
    this.stopping = true;
  }

  /** Until `stop`. Rejects when an update fails: losses that are not finite, say. */
  async run(): Promise<void> {
    const { replay, learner, warmup, evaluateEvery, publish, state } = this.options;
    let judging: Promise<unknown> | undefined;
    const inBackground = (work: Promise<unknown>) => {
      judging = work.finally(() => {
        judging = undefined;
      });
      judging.catch((error: Error) => this.options.onNotice(`evaluation failed: ${error.message}`));
    };
    if (!this.inUse && !state) inBackground(publish(learner.actorParameters(), undefined));
    let judgedAt = this.counters.updates;
    let before = judgedAt;
    const metrics = globalThis.setInterval(() => {
      this.report(this.counters.updates - before);
      before = this.counters.updates;
    }, METRICS_MS);
    try {
      let saved_ms = Date.now();
      while (!this.stopping) {
        if (Date.now() - saved_ms > SAVE_MS) {
          saved_ms = Date.now();
          this.options.save();
        }
        if (this.owed < 1 || replay.size < warmup) {
          await setTimeout(IDLE_MS);
          continue;
        }
        await this.update();
        if (this.counters.updates - judgedAt >= evaluateEvery && !judging) {
          judgedAt = this.counters.updates;
          inBackground(this.judge());
        }
        // Messages are taken in between updates.
        await setImmediate();
      }
    } finally {
      clearInterval(metrics);
    }
  }

  private async update(): Promise<void> {
    const { learner } = this.options;
    const { config } = learner.options;
    this.experience.sample(config.batch, this.random, this.batch);
    this.mirror?.apply(this.batch, this.random);
    await learner.step(this.batch, this.counters.updates % config.actor_every === 0);
    this.counters.updates++;
    this.measured = true;
    this.owed--;
  }

  private async judge(): Promise<void> {
    const { learner, evaluate, publish, onNotice } = this.options;
    const parameters = learner.actorParameters();
    const evaluation = await evaluate(parameters);
    if (this.stopping) return;
    const number = ++this.counters.candidates;
    const reason = objection(evaluation, this.inUse);
    if (reason) {
      onNotice(`candidate ${number} is not better: ${reason}`);
      return;
    }
    if (!(await publish(parameters, evaluation))) {
      onNotice(`candidate ${number} was given back by the robots`);
      return;
    }
    this.replaced = this.inUse;
    this.inUse = evaluation;
    this.counters.published++;
    onNotice(`candidate ${number} published: mean return ${evaluation.mean_return?.toFixed(1)}`);
  }

  private report(updates_per_s: number): void {
    const { learner, replay, onMetrics } = this.options;
    onMetrics({
      ...this.counters,
      transitions: replay.added - this.replayBefore,
      updates_per_s,
      replay: replay.size,
      replay_capacity: replay.capacity,
      ...(this.measured ? learner.metrics() : {}),
    });
  }
}
