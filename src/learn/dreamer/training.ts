import { Random } from '../../base/random.js';
import { reflect, type Symmetry } from '../replay/mirror.js';
import type { Replay } from '../replay/replay.js';
import { SequenceBatch, SequenceSampler } from '../replay/sequences.js';
import type { LearnerCheckpoint, ReplayLearner } from '../replayLearner.js';
import { LatentStore } from './latentStore.js';
import type { DreamerBatch, DreamerLearner, DreamerStates } from './learner.js';
import { errorByHorizon, type OpenLoop } from './openLoop.js';

/** One sequence in so many of a batch is the newest of its stream, so that what just happened is learned from at once. */
const NEWEST_SHARE = 8;
/** Steps of horizon whose error is reported. */
export const HORIZONS = [1, 2, 5, 10, 15, 30] as const;

export interface DreamerTrainingOptions {
  readonly learner: DreamerLearner;
  readonly replay: Replay;
  readonly seed: number;
  /** Of robot and task: every other sequence is then seen in the mirror. */
  readonly mirror?: Symmetry;
  /** Shown what the model predicted at each `study`. */
  readonly onOpenLoop?: (openLoop: OpenLoop) => void;
}

/** Dreamer fed from a replay: sequences with the states that lead into them, which each update brings up to date. */
export class DreamerTraining implements ReplayLearner {
  private readonly sampler: SequenceSampler;
  private readonly sampling: Random;
  /** As it was, and in the mirror. */
  private readonly states: readonly [LatentStore, LatentStore];
  private readonly sequences: SequenceBatch;
  private readonly batch: DreamerBatch;
  /** [batch]: 1 for a sequence that is seen in the mirror. */
  private readonly mirrored: Uint8Array;
  /** Nothing is known of the states along the replay: the learner was loaded. */
  private lost = false;

  constructor(private readonly options: DreamerTrainingOptions) {
    const { learner, replay, seed } = options;
    const { batch: B, length, deter } = learner.options.config;
    const { latent } = learner.networks.model;
    this.sampler = new SequenceSampler(replay, length);
    this.sampling = Random.stream(seed, 'sequences');
    this.states = [new LatentStore(deter, latent), new LatentStore(deter, latent)];
    this.mirrored = new Uint8Array(B);
    this.sequences = new SequenceBatch(length, B, replay.contract);
    const { observation, action, reward, first, terminal, demonstrated } = this.sequences;
    this.batch = {
      ...{ observation, action, reward, first, terminal, demonstrated },
      h: new Float32Array(B * deter),
      z: new Float32Array(B * latent.size),
    };
  }

  get replay(): Replay {
    return this.options.replay;
  }

  get updates(): number {
    return this.options.learner.updates;
  }

  get ready(): boolean {
    return this.sampler.ready;
  }

  async update(): Promise<void> {
    if (this.lost) await this.revisit();
    const { batch: B } = this.sequences;
    this.sampler.sample(this.sequences, this.sampling, Math.ceil(B / NEWEST_SHARE));
    if (this.options.mirror)
      for (let row = 0; row < B; row++) this.mirrored[row] = this.sampling.uint32() & 1;
    this.reflect();
    this.leadIn();
    this.keep(await this.options.learner.step(this.batch));
  }

  /**
   * Predicts the newest sequences of all streams, of which little has been learned yet.
   * @returns the error by horizon
   */
  async study(): Promise<Record<string, number>> {
    if (!this.ready) return {};
    const { learner, seed, onOpenLoop } = this.options;
    // Of its own, so that how often somebody looks does not change what is learned.
    const random = Random.stream(seed, 'study', learner.updates);
    this.sampler.sample(
      this.sequences,
      random,
      Math.min(this.sequences.batch, this.replay.newestSlots().length),
    );
    this.mirrored.fill(0);
    this.leadIn();
    const predicted = await learner.predict(this.batch, random);
    const { length, batch, observation, reward, first } = this.sequences;
    const openLoop: OpenLoop = {
      ...{ length, batch, image: learner.options.world.image, observation, reward, first },
      predicted: predicted.observation,
      predictedReward: predicted.reward,
    };
    onOpenLoop?.(openLoop);
    const errors = { open_loop_error: errorByHorizon(openLoop) };
    if (openLoop.image) Object.assign(errors, { open_loop_image_error: errorByHorizon(openLoop, 'image') });
    const within = HORIZONS.filter((steps) => steps <= errors.open_loop_error.length);
    return Object.fromEntries(
      Object.entries(errors).flatMap(([name, by]) =>
        within.map((steps) => [`${name}_${steps}`, by[steps - 1]]),
      ),
    );
  }

  policyParameters(): Float32Array {
    return this.options.learner.policyParameters();
  }

  metrics(): Record<string, number> {
    return this.options.learner.metrics();
  }

  save(): LearnerCheckpoint {
    const { tensors, updates, random } = this.options.learner.save();
    return { tensors, state: { updates, random, sampling: this.sampling.state } };
  }

  load({ tensors, state }: LearnerCheckpoint): void {
    this.options.learner.load({ tensors, updates: state.updates, random: [...state.random] });
    this.sampling.state = state.sampling;
    this.lost = true;
  }

  dispose(): Promise<void> {
    return this.options.learner.dispose();
  }

  /** Walks along all that the replay holds: without their states, sequences from the middle of episodes mislead. */
  private async revisit(): Promise<void> {
    const { learner, seed } = this.options;
    const random = Random.stream(seed, 'revisit', learner.updates);
    for (const side of this.options.mirror ? [0, 1] : [0]) {
      const walk = this.sampler.walk(this.sequences);
      while (!walk.next().done) {
        this.mirrored.fill(side);
        this.reflect();
        this.leadIn();
        this.keep(await learner.follow(this.batch, random));
      }
    }
    this.lost = false;
  }

  /** Turns those sequences of the batch that are seen in the mirror. */
  private reflect(): void {
    const { mirror } = this.options;
    const { length, batch: B } = this.sequences;
    if (!mirror) return;
    for (let row = 0; row < length * B; row++) {
      if (this.mirrored[row % B] === 0) continue;
      reflect(this.batch.observation, row, mirror.observation);
      reflect(this.batch.action, row, mirror.action);
    }
  }

  /** The state before each sequence; one of which nothing is known begins as an episode does. */
  private leadIn(): void {
    const { states, mirrored, replay, sequences } = this;
    const { h, z, first, action } = this.batch;
    const { action: A } = replay.contract;
    for (let row = 0; row < sequences.batch; row++) {
      const slot = sequences.before[row];
      const sequence = slot < 0 ? 0 : replay.sequenceAt(slot);
      if (states[mirrored[row]].recall(slot, sequence, h, z, row)) continue;
      first[row] = 1;
      action.fill(0, row * A, (row + 1) * A);
    }
  }

  private keep({ h, z }: DreamerStates): void {
    const { slot } = this.sequences;
    for (let i = 0; i < slot.length; i++) {
      if (slot[i] < 0) continue;
      const states = this.states[this.mirrored[i % this.sequences.batch]];
      states.keep(slot[i], this.replay.sequenceAt(slot[i]), h, z, i);
    }
  }
}
