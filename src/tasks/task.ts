import type { Random } from '../base/random.js';
import { yaw_rad } from '../robot/rotation.js';
import type { RobotSpec } from '../robot/spec.js';
import type { BodyMotion, RobotState } from '../robot/state.js';

/** One named part of an observation vector. A policy is admitted only where these match, in order. */
export interface ObservationPart {
  readonly name: string;
  readonly size: number;
  readonly unit: string;
  /** Of a part that is a picture: its shape, rows from the top, channels last. */
  readonly image?: ImageShape;
}

/** A small picture. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * What an action of [−1, 1] per joint means. `residual`: target = centre + scale · a.
 * `delta`: target = last target + scale · a.
 * `approach`: target = last target + share · (centre + scale · a − last target).
 */
export interface ActionContract {
  readonly kind: 'residual' | 'delta' | 'approach';
  readonly centre_rad: readonly number[];
  readonly scale_rad: readonly number[];
  /** Of the way that `approach` goes in one step, (0, 1]. */
  readonly share?: number;
}

export interface TaskContract {
  readonly observation: readonly ObservationPart[];
  readonly action: ActionContract;
}

/** A reflection of a vector: out[i] = sign[i] · in[from[i]]. */
export interface Mirror {
  readonly from: readonly number[];
  readonly sign: readonly number[];
}

/** What happened over one policy period, measured: on a robot by its sensors, in simulation likewise. */
export interface Moment {
  /** The newest sample. */
  readonly state: RobotState;
  /** The robot's own estimate: all that an observation may use. */
  readonly estimate: BodyMotion;
  /** What the reward is paid for: the simulator's truth, or on hardware the estimate again. */
  readonly motion: BodyMotion;
  /** Displacement over the period in `motion`, world frame. */
  readonly moved_m: Float64Array;
  /** Mean mechanical power over the period, from reported torques and speeds. */
  readonly power_w: number;
  /** Mean sliding speed of the feet that carried load over the period, m/s. */
  readonly slip_m_s: number;
  /** Feet that landed in the period. */
  readonly touchdowns: number;
  /** Targets that the safety kernel had executed by the end of the period. */
  readonly executed_rad: Float64Array;
}

/** What an episode remembers between its steps; plain data, so that a replay or a robot can carry it. */
export interface EpisodeMemory {
  /** Heading at the start, rad. */
  heading_rad: number;
  /** Where the task wants to get to; its meaning is the task's. */
  readonly goal: Float64Array;
  /** Executed actions of this period and the one before, in the action's own units. */
  readonly action: Float32Array;
  readonly previousAction: Float32Array;
}

/** How a robot lies before it is dropped onto the floor. */
export interface LyingPose {
  /** Body to world, (w, x, y, z). */
  readonly orientation: readonly number[];
  readonly position_rad: readonly number[];
}

/**
 * A task: what the policy sees, what it is paid for and when an episode is over, as functions of
 * what was measured and the episode's memory. A task knows no driver and no simulator, and cannot
 * reach a limit.
 */
export interface Task {
  readonly name: string;
  /** Policy steps after which an episode is cut off: a truncation. */
  readonly episodeSteps: number;
  readonly contract: TaskContract;
  /**
   * Action and observation as seen in a mirror, where task and robot are the same there; the action's alone where the
   * robot's camera does not sit in its middle.
   */
  readonly mirror?: { readonly observation?: Mirror; readonly action: Mirror };
  /**
   * For a task that begins wherever the robot lies: its policy commands as a recovery, and lying ends
   * nothing. Draws how a simulated robot lies; in other tasks it stands at home.
   */
  startsLying?(random: Random): LyingPose;
  createMemory(): EpisodeMemory;
  /** Starts an episode at this moment: draws its goal, notes its heading. */
  begin(memory: EpisodeMemory, moment: Moment, random: Random): void;
  observe(moment: Moment, memory: EpisodeMemory, out: Float32Array): void;
  reward(moment: Moment, memory: EpisodeMemory): number;
  /** A terminal state: nothing can be earned after it. */
  terminated(moment: Moment, memory: EpisodeMemory): boolean;
  /** Where a successful episode ends, for tasks that have one. */
  succeeded?(moment: Moment, memory: EpisodeMemory): boolean;
  /** Mean forward speed over an episode's last seconds that a success takes too, for tasks that end in walking. */
  readonly endSpeed_m_s?: number;
}

/**
 * What a robot's operator sets for its task, as a launch file says it: what episodes ask for, within
 * what the observation shows. Neither observation nor action change with it, so that robots with
 * different parameters share a policy and a learner.
 */
export type TaskParameters = Readonly<Record<string, unknown>>;

/** The picture that an observation ends with, of a robot with a camera. */
export function imageOf({ observation }: TaskContract): ImageShape | undefined {
  return observation.at(-1)?.image;
}

/** How far a robot went along where it looks, m. */
export function forward_m({ state, moved_m }: Pick<Moment, 'state' | 'moved_m'>): number {
  const yaw = yaw_rad(state.orientation);
  return Math.cos(yaw) * moved_m[0] + Math.sin(yaw) * moved_m[1];
}

/** Makes a task for a robot. @throws UserError when the robot is not of a kind that can do it, or a parameter is wrong */
export type TaskFactory = (spec: RobotSpec, parameters?: TaskParameters, where?: string) => Task;

export function observationSize(contract: TaskContract): number {
  return contract.observation.reduce((sum, part) => sum + part.size, 0);
}

/** Joint targets of an action. @param from_rad last executed targets, which a `delta` action starts from */
export function actionToTargets(
  contract: ActionContract,
  action: ArrayLike<number>,
  from_rad: ArrayLike<number>,
  out_rad: Float64Array,
): void {
  const { kind, centre_rad, scale_rad, share = 1 } = contract;
  for (let j = 0; j < out_rad.length; j++) {
    const asked = Math.min(1, Math.max(-1, action[j])) * scale_rad[j];
    if (kind === 'residual') out_rad[j] = centre_rad[j] + asked;
    else if (kind === 'delta') out_rad[j] = from_rad[j] + asked;
    else out_rad[j] = from_rad[j] + share * (centre_rad[j] + asked - from_rad[j]);
  }
}

/** The action that would have asked for the executed targets: what replay stores. */
export function targetsToAction(
  contract: ActionContract,
  executed_rad: ArrayLike<number>,
  from_rad: ArrayLike<number>,
  out: Float32Array,
): void {
  const { kind, centre_rad, scale_rad, share = 1 } = contract;
  for (let j = 0; j < out.length; j++) {
    let asked_rad = executed_rad[j] - (kind === 'delta' ? from_rad[j] : centre_rad[j]);
    if (kind === 'approach') asked_rad += (1 / share - 1) * (executed_rad[j] - from_rad[j]);
    out[j] = Math.min(1, Math.max(-1, asked_rad / scale_rad[j]));
  }
}

/**
 * Reward shape of the control suite (Tassa et al. 2018): 1 inside [low, high], falling linearly to 0
 * at `margin` outside.
 */
export function tolerance(x: number, low: number, high: number, margin: number): number {
  if (x >= low && x <= high) return 1;
  const outside = (x < low ? low - x : x - high) / margin;
  return outside < 1 ? 1 - outside : 0;
}
