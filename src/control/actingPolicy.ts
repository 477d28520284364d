import { Random } from '../base/random.js';
import type { Exploration, Policy } from '../policy/policy.js';
import { type GateOptions, WorldModelGate } from './worldModelGate.js';

/**
 * The policy that is asked for actions, from one to the next: how far it explores, what it may do where
 * nothing new was sensed, and whether its own model of the world is surprised.
 */
export class ActingPolicy {
  /** As whoever set it numbers policies; 0 with none. */
  number = 0;
  private policy: Policy | undefined;
  private readonly explore: Exploration | undefined;
  private readonly gate: WorldModelGate | undefined;
  private readonly rehearsed: Float32Array;
  /** Stamp of the newest sample that it was shown. */
  private shownAt_s = Number.NEGATIVE_INFINITY;

  /**
   * @param exploreScale factor on the policy's own spread; 0 for its mean action
   * @param gate what happens where its model is surprised; nothing when left out
   */
  constructor(joints: number, exploreScale: number, seed: number, gate: GateOptions | undefined) {
    this.explore =
      exploreScale > 0 ? { random: Random.stream(seed, 'explore'), scale: exploreScale } : undefined;
    this.gate = gate && new WorldModelGate(gate);
    this.rehearsed = new Float32Array(joints);
  }

  get present(): boolean {
    return this.policy !== undefined;
  }

  set(policy: Policy | undefined, number: number): void {
    this.policy = policy;
    this.number = number;
    this.beginEpisode();
  }

  /** Nothing was ever set or shown. */
  forget(): void {
    this.set(undefined, 0);
    this.shownAt_s = Number.NEGATIVE_INFINITY;
  }

  beginEpisode(): void {
    this.policy?.reset();
    this.gate?.reset();
  }

  /**
   * Tries another policy on what is seen now, so that one that cannot act is refused before it matters.
   * @throws whatever the policy throws
   */
  rehearse(policy: Policy, observation: Float32Array): void {
    policy.act(observation, this.rehearsed, this.explore);
  }

  /**
   * Shows the policy what is seen, and takes its action. Where nothing new was sensed since it last acted,
   * one with a model of the world goes on by its own expectation.
   * @param sampledAt_s stamp of the sample that the observation was made of
   * @param action written to; left as it is where there is no policy
   * @returns whether it acts; false once it has gone on by expectation for as long as it says that it may
   */
  act(observation: Float32Array, sampledAt_s: number, now_s: number, action: Float32Array): boolean {
    const { policy, explore } = this;
    const imagination = sampledAt_s > this.shownAt_s ? undefined : policy?.imagination;
    if (!imagination) {
      this.shownAt_s = sampledAt_s;
      policy?.act(observation, action, explore);
      return true;
    }
    imagination.act(action, explore);
    return now_s - sampledAt_s <= imagination.longest_s;
  }

  /** Tells it what came of its action. @param action as it was executed */
  executed(action: Float32Array): void {
    this.policy?.executed?.(action);
  }

  /** The gate, where it is shut: the policy's model is surprised by what it sees. Once after each `act`. */
  shutGate(): WorldModelGate | undefined {
    return this.policy && this.gate?.isShut(this.policy) ? this.gate : undefined;
  }
}
