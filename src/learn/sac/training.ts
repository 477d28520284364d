import type { Random } from '../../base/random.js';
import { mirrorSome, type Symmetry } from '../replay/mirror.js';
import { MixedReplay } from '../replay/mixed.js';
import type { Replay } from '../replay/replay.js';
import { ReplayBatch } from '../replay/transition.js';
import type { LearnerCheckpoint, ReplayLearner } from '../replayLearner.js';
import type { SacLearner } from './learner.js';

export interface SacTrainingOptions {
  readonly learner: SacLearner;
  readonly replay: Replay;
  /** What somebody has shown: half of each batch. */
  readonly demonstrations?: Replay;
  /** Demonstrated steps from which on they count; 1 when left out. */
  readonly leastShown?: number;
  /** Symmetry of robot and task. */
  readonly mirror?: Symmetry;
  /** Draws the batches. */
  readonly random: Random;
}

/** SAC fed from a replay. */
export class SacTraining implements ReplayLearner {
  private readonly batch: ReplayBatch;
  private readonly experience: MixedReplay;

  constructor(private readonly options: SacTrainingOptions) {
    const { learner, replay, demonstrations, leastShown } = options;
    this.experience = new MixedReplay(replay, demonstrations, leastShown);
    this.batch = new ReplayBatch(learner.options.config.batch, replay.contract);
  }

  get replay(): Replay {
    return this.options.replay;
  }

  get updates(): number {
    return this.options.learner.updates;
  }

  get ready(): boolean {
    return this.replay.size > 0;
  }

  async update(): Promise<void> {
    const { learner, mirror, random } = this.options;
    const { config } = learner.options;
    this.experience.sample(config.batch, random, this.batch);
    if (config.bc_successes) this.experience.markSuccesses(this.batch);
    if (mirror) mirrorSome(this.batch, mirror, random);
    await learner.step(this.batch, learner.updates % config.actor_every === 0);
  }

  policyParameters(): Float32Array {
    return this.options.learner.actorParameters();
  }

  metrics(): Record<string, number> {
    return this.options.learner.metrics();
  }

  save(): LearnerCheckpoint {
    const { tensors, updates, random } = this.options.learner.save();
    return { tensors, state: { updates, random, sampling: this.options.random.state } };
  }

  load({ tensors, state }: LearnerCheckpoint): void {
    const { learner, random } = this.options;
    learner.load({ tensors, updates: state.updates, random: [...state.random] });
    random.state = state.sampling;
  }

  dispose(): Promise<void> {
    return this.options.learner.dispose();
  }
}
