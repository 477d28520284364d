import type { Observer } from '../control/observer.js';
import type { RobotProcess } from '../control/robotProcess.js';
import type { RobotSpec } from '../robot/spec.js';
import { PoseMotion } from '../safety/stop.js';
import type { Hand } from './hand.js';
import { CartesianJog } from './jog.js';

const PERIOD_MS = 20;
/** A hand counts as gone when its device was silent for longer; the kernel's own deadman comes after. */
export const HAND_LASTS_S = 0.15;
/** Targets run ahead of the robot by no more than this: what it could not follow is not made up for later. */
const LEASH_RAD = 0.15;
/** In which a leader arm's joints and the robot's come together. */
const ALIGN_S = 2;

/**
 * A person's session with a robot: takes it over, turns what a device says into joint targets at 50 Hz
 * for as long as the hand is on it, and gives it back. It starts from the targets that the robot has
 * at that moment, so that taking over moves nothing. Limits, reduced speed and the deadman switch
 * itself are the safety kernel's; this class can only ask.
 */
export class TeleopSession {
  /** Poses that a person can bring the robot to, by name. */
  readonly poses: readonly string[];
  readonly canJog: boolean;
  private readonly spec: RobotSpec;
  private readonly observer: Observer;
  private readonly jog: CartesianJog | undefined;
  private readonly targets_rad: Float64Array;
  private readonly timer: NodeJS.Timeout;
  private hand: Hand | undefined;
  private handAt_ms = Number.NEGATIVE_INFINITY;
  private motion: { readonly name: string; readonly pose: PoseMotion; elapsed_s: number } | undefined;
  private leader: { readonly from_rad: Float64Array; readonly began_ms: number } | undefined;
  private leader_rad: Float64Array | undefined;
  private tickedAt_ms = 0;
  private held = false;

  constructor(private readonly robot: RobotProcess) {
    this.spec = robot.options.spec;
    this.observer = robot.observe();
    this.canJog = CartesianJog.canJog(this.spec);
    this.poses = Object.keys(posesOf(this.spec));
    this.jog = this.canJog ? new CartesianJog(this.spec) : undefined;
    this.targets_rad = new Float64Array(this.spec.joints.length);
    this.timer = setInterval(() => this.tick(), PERIOD_MS);
  }

  get active(): boolean {
    return this.robot.status().authority === 'person';
  }

  /** Name of the pose that it is on its way to. */
  get heading(): string | undefined {
    return this.motion?.name;
  }

  /** @returns false where the robot is stopped */
  async takeOver(): Promise<boolean> {
    if (this.active) return true;
    this.letGo();
    if (!(await this.robot.takeOver('person'))) return false;
    this.takeUp();
    return true;
  }

  async release(): Promise<void> {
    this.letGo();
    await this.robot.release();
  }

  /** What a hand on the controls does now. Of no effect unless taken over. */
  move(hand: Hand): void {
    this.hand = hand;
    this.handAt_ms = performance.now();
  }

  /**
   * Sets out for a pose; the robot is on its way only while a hand is on the switch.
   * @returns false where there is no such pose
   */
  goTo(name: string): boolean {
    const pose_rad = posesOf(this.spec)[name];
    if (!pose_rad) return false;
    const pose = new PoseMotion([{ pose_rad, seconds: Math.max(2, this.spec.stop.seconds) }]);
    this.takeUp();
    pose.begin(this.targets_rad, 0);
    this.motion = { name, pose, elapsed_s: 0 };
    return true;
  }

  /** Joints of a leader arm, in this robot's order. The robot comes to them over two seconds, then follows. */
  follow(q_rad: ArrayLike<number>): void {
    if (!this.leader) {
      this.takeUp();
      this.leader = { from_rad: this.targets_rad.slice(), began_ms: performance.now() };
    }
    this.leader_rad = Float64Array.from(q_rad);
    this.handAt_ms = performance.now();
  }

  /** The hand is off the switch, or the device is gone. */
  letGo(): void {
    this.hand = undefined;
    this.motion = undefined;
    this.leader = undefined;
    this.leader_rad = undefined;
    this.handAt_ms = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    clearInterval(this.timer);
    this.letGo();
  }

  private takeUp(): void {
    this.observer.update();
    this.targets_rad.set(this.observer.command.position_rad);
  }

  private tick(): void {
    const now_ms = performance.now();
    const dt_s = Math.min(2 * PERIOD_MS, now_ms - this.tickedAt_ms) / 1e3;
    this.tickedAt_ms = now_ms;
    const held = now_ms - this.handAt_ms <= 1e3 * HAND_LASTS_S && this.active;
    if (!held) {
      this.held = false;
      this.leader = undefined;
      return;
    }
    // Where the robot has come to a hold in the meantime, and not where it was led before.
    if (!this.held) this.takeUp();
    this.held = true;
    this.advance(now_ms, dt_s);
    this.leash();
    this.robot.personTarget(this.targets_rad);
  }

  private advance(now_ms: number, dt_s: number): void {
    const { targets_rad, hand, motion, leader, leader_rad } = this;
    if (leader && leader_rad) {
      const share = smooth((now_ms - leader.began_ms) / (1e3 * ALIGN_S));
      for (let j = 0; j < targets_rad.length; j++)
        targets_rad[j] = leader.from_rad[j] + share * (leader_rad[j] - leader.from_rad[j]);
    } else if (motion) {
      motion.elapsed_s += dt_s;
      if (motion.pose.pose(motion.elapsed_s, targets_rad)) this.motion = undefined;
    } else if (hand) this.jog?.advance(hand, dt_s, targets_rad);
  }

  /** A pose or a leader is a place to get to: only what is led by hand is held back. */
  private leash(): void {
    if (this.motion || this.leader) return;
    this.observer.update();
    const { position_rad } = this.observer.command;
    for (let j = 0; j < this.targets_rad.length; j++) {
      const ahead = this.targets_rad[j] - position_rad[j];
      this.targets_rad[j] = position_rad[j] + Math.min(LEASH_RAD, Math.max(-LEASH_RAD, ahead));
    }
  }
}

/** `stand` or `home`, and where a stop leads to. */
function posesOf(spec: RobotSpec): Record<string, readonly number[]> {
  const home = spec.joints.map((j) => j.home_rad);
  return spec.base === 'floating'
    ? { stand: home, sit: spec.stop.pose_rad }
    : { home, rest: spec.stop.pose_rad };
}

/** Minimum jerk from 0 to 1. */
function smooth(t: number): number {
  const c = Math.min(1, Math.max(0, t));
  return c ** 3 * (10 + c * (6 * c - 15));
}
