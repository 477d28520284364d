import type { Evaluation } from '../src/policy/manifest.js';
import type { Policy } from '../src/policy/policy.js';
import { feetOf } from '../src/robot/spec.js';
import type { Environment } from './environment.js';

/** What one episode contributes to an `Evaluation`. */
export interface EpisodeOutcome {
  readonly steps: number;
  readonly fell: boolean;
  readonly success: boolean;
  /** When the task was first done; null where it was not, or has no such moment. */
  readonly successAfter_s: number | null;
  readonly speed_mps: number;
  readonly return: number;
  readonly power_w: number;
  readonly slip_mps: number;
  readonly touchdowns_per_s: number;
  readonly actionChangeSquared: number;
}

const WALKING_M_S = [0.5, 1.0] as const;

/** One episode of evaluation from a seed, a step at a time, so that a worker can do it in slices. */
export class EpisodeRun {
  private readonly action: Float32Array;
  private readonly start_m: Float64Array;
  private readonly sum = { return: 0, power: 0, slip: 0, touchdowns: 0, change: 0 };
  private taken = 0;
  private succeededAt: number | undefined;
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
    sum.return += reward;
    sum.power += env.window.power_w;
    sum.slip += env.window.slip_m_s;
    sum.touchdowns += env.window.touchdowns;
    for (let j = 0; j < action.length; j++)
      sum.change += (env.memory.action[j] - env.memory.previousAction[j]) ** 2 / action.length;
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
    const succeeded = env.task.succeeded
      ? env.task.succeeded(env.window, env.memory)
      : speed_mps >= WALKING_M_S[0] && speed_mps <= WALKING_M_S[1];
    return {
      steps: taken,
      fell,
      success: succeeded && !fell && taken === steps,
      successAfter_s: this.succeededAt === undefined ? null : this.succeededAt / policy_hz,
      speed_mps,
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
  };
}
