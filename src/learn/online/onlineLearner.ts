import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Evaluation } from '../../policy/manifest.js';
import type { Experience } from '../../robot/experience.js';
import type { Replay } from '../replay/replay.js';
import type { ReplayLearner } from '../replayLearner.js';
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
}

/** The learner's own figures come beside these. */
export interface OnlineMetrics extends OnlineCounters {
  /** Taken from robots. */
  readonly transitions: number;
  /** Updates in the last second. */
  readonly updates_per_s: number;
  /** Transitions in the replay, and how many it holds. */
  readonly replay: number;
  readonly replay_capacity: number;
}

export interface OnlineLearnerOptions {
  readonly learner: ReplayLearner;
  /** What somebody has shown: steps in which a person commanded enter it beside the learner's replay. */
  readonly demonstrations?: Replay;
  /** Of an earlier life of this learner. */
  readonly state?: OnlineState;
  /** Most updates for each transition that comes. */
  readonly updatesPerStep: number;
  /** Transitions in the replay before the first update. */
  readonly warmup: number;
  /** Robots move by themselves before the first policy: no untrained one goes out. */
  readonly robotsBegin?: boolean;
  /** Updates between candidates. */
  readonly evaluateEvery: number;
  /** What the policy in use reached, or undefined where there is none: then the first policy goes out untried. */
  readonly inUse: Evaluation | undefined;
  /** Judges the actor with these weights, always on the same episodes; without it every candidate is published. */
  readonly evaluate?: (parameters: Float32Array) => Promise<Evaluation>;
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
const IDLE_MS = 20;
const METRICS_MS = 1000;
const SAVE_MS = 30_000;
/** Between two looks at what takes longer to measure. */
const STUDY_MS = 10_000;

/**
 * Learns from what a robot does while it does it: so many updates for each transition that comes, and
 * every so often a candidate, which is published only where it is no worse than the policy in use.
 */
export class OnlineLearner {
  private inUse: Evaluation | undefined;
  /** Of the policy before it. */
  private replaced: Evaluation | undefined;
  private owed = 0;
  private readonly counters: OnlineCounters;
  private readonly replayBefore: number;
  private measured = false;
  /** What takes longer to measure, when it was measured last. */
  private studied: Readonly<Record<string, number>> = {};
  /** The newest step of each stream. */
  private readonly previous = new Map<number, { episode: number; step: number }>();
  private stopping = false;
  private readonly savesAsked: (() => void)[] = [];

  constructor(private readonly options: OnlineLearnerOptions) {
    const { learner, inUse, state } = options;
    this.counters = { ...(state?.counters ?? { updates: 0, candidates: 0, published: 0 }) };
    this.replayBefore = state?.replayBefore ?? learner.replay.added;
    this.inUse = state?.inUse ?? inUse;
  }

  /**
   * Takes transitions of one robot, in order. They are durable once the replay is flushed.
   * @param stream of that robot in the replay
   * @param gap some before these are lost
   */
  add(stream: number, transitions: readonly Experience[], gap: boolean): void {
    const { learner, demonstrations, updatesPerStep } = this.options;
    const { replay } = learner;
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
    const { counters, replayBefore, inUse } = this;
    return { counters: { ...counters }, replayBefore, inUse: inUse ?? null };
  }

  /** The robots went back to the policy before the newest. */
  givenBack(): void {
    this.inUse = this.replaced ?? this.inUse;
  }

  /** Has `save` called between two updates, soon. @returns once it was */
  saveSoon(): Promise<void> {
    return new Promise((resolve) => this.savesAsked.push(resolve));
  }

  stop(): void {
    this.stopping = true;
  }

  /** Until `stop`. Rejects when an update fails: losses that are not finite, say. */
  async run(): Promise<void> {
    const { learner, warmup, evaluateEvery, publish, robotsBegin, state } = this.options;
    let judging: Promise<unknown> | undefined;
    const inBackground = (work: Promise<unknown>) => {
      judging = work.finally(() => {
        judging = undefined;
      });
      judging.catch((error: Error) => this.options.onNotice(`evaluation failed: ${error.message}`));
    };
    if (!this.inUse && !state && !robotsBegin) inBackground(publish(learner.policyParameters(), undefined));
    let judgedAt = this.counters.updates;
    let before = judgedAt;
    const metrics = globalThis.setInterval(() => {
      this.report(this.counters.updates - before);
      before = this.counters.updates;
    }, METRICS_MS);
    try {
      let saved_ms = Date.now();
      let studied_ms = Date.now();
      while (!this.stopping) {
        if (this.savesAsked.length > 0 || Date.now() - saved_ms > SAVE_MS) {
          saved_ms = Date.now();
          this.options.save();
          for (const done of this.savesAsked.splice(0)) done();
        }
        if (this.owed < 1 || learner.replay.size < warmup || !learner.ready) {
          await setTimeout(IDLE_MS);
          continue;
        }
        await this.update();
        if (learner.study && Date.now() - studied_ms > STUDY_MS) {
          this.studied = await learner.study();
          studied_ms = Date.now();
        }
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
    await this.options.learner.update();
    this.counters.updates++;
    this.measured = true;
    this.owed--;
  }

  private async judge(): Promise<void> {
    const { learner, evaluate, publish, onNotice } = this.options;
    const parameters = learner.policyParameters();
    const evaluation = await evaluate?.(parameters);
    if (this.stopping) return;
    const number = ++this.counters.candidates;
    const reason = evaluation && objection(evaluation, this.inUse);
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
    const worth = evaluation ? `mean return ${evaluation.mean_return?.toFixed(1)}` : 'untried';
    onNotice(`candidate ${number} published: ${worth}`);
  }

  private report(updates_per_s: number): void {
    const { learner, onMetrics } = this.options;
    const { replay } = learner;
    onMetrics({
      ...this.counters,
      transitions: replay.added - this.replayBefore,
      updates_per_s,
      replay: replay.size,
      replay_capacity: replay.capacity,
      ...(this.measured ? learner.metrics() : {}),
      ...this.studied,
    });
  }
}
