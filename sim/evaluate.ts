import type { Evaluation } from '../src/policy/manifest.js';
import type { Policy } from '../src/policy/policy.js';
import { uprightness } from '../src/robot/rotation.js';
import { feetOf } from '../src/robot/spec.js';
import { Stance } from '../src/robot/stance.js';
import type { Environment } from './environment.js';
import { Track } from './track.js';

/** What one episode contributes to an `Evaluation`. */
export interface EpisodeOutcome {
  readonly steps: number;
  readonly fell: boolean;
  readonly success: boolean;
  /** When the task was first done; null where it was not, or has no such moment. */
  readonly successAfter_s: number | null;
  readonly speed_mps: number;
  readonly speedAtEnd_mps: number;
  /** At some moment, of a robot that began lying; null for others. */
  readonly rolledOver: boolean | null;
  readonly stood: boolean | null;
  readonly return: number;
  readonly power_w: number;
  readonly slip_mps: number;
  readonly touchdowns_per_s: number;
  readonly actionChangeSquared: number;
}

const WALKING_M_S = [0.5, 1.0] as const;
/** The body's z axis within this cosine of the vertical: it has rolled over. */
const UPRIGHT = 0.9;

/** One episode of evaluation from a seed, a step at a time, so that a worker can do it in slices. */
export class EpisodeRun {
  private readonly action: Float32Array;
  private readonly start_m: Float64Array;
  private readonly sum = { return: 0, power: 0, slip: 0, touchdowns: 0, change: 0 };
  private taken = 0;
  private succeededAt: number | undefined;
  private readonly track: Track;
  private readonly stance: Stance | undefined;
  private rolledOver = false;
  private stood = false;
  private fell = false;
  private cut = false;

  constructor(
    private readonly env: Environment,
    private readonly policy: Policy,
    seed: number,
    private readonly steps: number,
  ) {
    env.reset(seed);
    policy.reset();
    this.action = new Float32Array(env.executedAction.length);
    this.start_m = Float64Array.from(env.window.motion.position_m);
    this.track = new Track(env);
    this.stance = env.task.startsLying && new Stance(env.spec);
    this.note();
  }

  get done(): boolean {
    return this.taken >= this.steps || this.fell || this.cut;
  }

  /** A policy step, by the policy's mean action. */
  step(): void {
    const { env, policy, action, sum } = this;
    policy.act(env.observation, action);
    const { reward, ending } = env.step(action);
    policy.executed?.(env.executedAction);
    this.taken++;
    this.cut = ending === 'interrupted';
    if (this.cut) return;
    this.fell = ending === 'terminated';
    if (this.succeededAt === undefined && env.task.succeeded?.(env.window, env.memory))
      this.succeededAt = this.taken;
    this.note();
    this.track.note();
    sum.return += reward;
    sum.power += env.window.power_w;
    sum.slip += env.window.slip_m_s;
    sum.touchdowns += env.window.touchdowns;
    for (let j = 0; j < action.length; j++)
      sum.change += (env.memory.action[j] - env.memory.previousAction[j]) ** 2 / action.length;
  }

  private note(): void {
    const { state } = this.env.window;
    this.rolledOver ||= uprightness(state.orientation) >= UPRIGHT;
    this.stood ||= this.stance?.holds(state) ?? false;
  }

  outcome(): EpisodeOutcome {
    const { env, sum, taken, steps, fell } = this;
    const { policy_hz } = env.spec.rates;
    const feet = feetOf(env.spec).length;
    const { heading_rad } = env.memory;
    const end = env.window.motion.position_m;
    const forward_m =
      Math.cos(heading_rad) * (end[0] - this.start_m[0]) + Math.sin(heading_rad) * (end[1] - this.start_m[1]);
    const speed_mps = (forward_m * policy_hz) / steps;
    const walks = speed_mps >= WALKING_M_S[0] && speed_mps <= WALKING_M_S[1];
    return {
      steps: taken,
      fell,
      success: (this.track.succeeds ?? walks) && !fell && taken === steps,
      successAfter_s: this.succeededAt === undefined ? null : this.succeededAt / policy_hz,
      speed_mps,
      speedAtEnd_mps: this.track.speed_mps,
      rolledOver: this.stance ? this.rolledOver : null,
      stood: this.stance ? this.stood : null,
      return: sum.return,
      power_w: sum.power / taken,
      slip_mps: sum.slip / taken,
      touchdowns_per_s: feet > 0 ? (sum.touchdowns * policy_hz) / (taken * feet) : 0,
      actionChangeSquared: sum.change / taken,
    };
  }
}

/** Runs one episode from a seed, to its end. */
export function runEpisode(env: Environment, policy: Policy, seed: number, steps: number): EpisodeOutcome {
  const run = new EpisodeRun(env, policy, seed, steps);
  while (!run.done) run.step();
  return run.outcome();
}

export function summarise(
  outcomes: readonly EpisodeOutcome[],
  seconds_each: number,
  legged: boolean,
): Evaluation {
  const mean = (f: (o: EpisodeOutcome) => number) => outcomes.reduce((s, o) => s + f(o), 0) / outcomes.length;
  const times = outcomes.filter((o) => o.success && o.successAfter_s !== null).map((o) => o.successAfter_s!);
  const ifLegged = (value: number) => (legged ? value : null);
  const share = (f: (o: EpisodeOutcome) => boolean | null) =>
    outcomes.some((o) => f(o) === null) ? null : mean((o) => (f(o) ? 1 : 0));
  return {
    episodes: outcomes.length,
    seconds_each,
    falls: outcomes.filter((o) => o.fell).length,
    mean_speed_mps: ifLegged(mean((o) => o.speed_mps)),
    success_rate: mean((o) => (o.success ? 1 : 0)),
    mean_return: mean((o) => o.return),
    mean_power_w: mean((o) => o.power_w),
    foot_slip_mps: ifLegged(mean((o) => o.slip_mps)),
    touchdowns_per_s: ifLegged(mean((o) => o.touchdowns_per_s)),
    action_rate: Math.sqrt(mean((o) => o.actionChangeSquared)),
    seconds_to_success: times.length > 0 ? times.reduce((a, b) => a + b) / times.length : null,
    rolled_over_rate: share((o) => o.rolledOver),
    stood_rate: share((o) => o.stood),
    speed_at_end_mps: ifLegged(mean((o) => o.speedAtEnd_mps)),
  };
}
