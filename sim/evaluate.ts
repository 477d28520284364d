import { feetOf } from '../src/robot/spec.js';
import type { Environment } from './environment.js';

/** What a policy did over some episodes. Means over episodes; null where a robot or task has no such thing. */
export interface Evaluation {
  readonly episodes: number;
  readonly seconds_each: number;
  readonly falls: number;
  /** Net displacement along the starting heading, by the time of a whole episode. */
  readonly mean_speed_mps: number | null;
  /** Episodes that ended in success: at the target, or for walking on its feet at 0.5 to 1.0 m/s. */
  readonly success_rate: number;
  readonly mean_return: number;
  /** Mechanical, of all drives. */
  readonly mean_power_w: number;
  /** Mean speed over the ground of feet that carry load. */
  readonly foot_slip_mps: number | null;
  /** For each foot. */
  readonly touchdowns_per_s: number | null;
  /** Root mean square change of action from step to step. */
  readonly action_rate: number;
}

/** What one episode contributes to an `Evaluation`. */
export interface EpisodeOutcome {
  readonly steps: number;
  readonly fell: boolean;
  readonly success: boolean;
  readonly speed_mps: number;
  readonly return: number;
  readonly power_w: number;
  readonly slip_mps: number;
  readonly touchdowns_per_s: number;
  readonly actionChangeSquared: number;
}

/** A policy as evaluation needs it: the mean action for an observation. */
export type Act = (observation: Float32Array, action: Float32Array) => void;

const WALKING_M_S = [0.5, 1.0] as const;

/** Runs one episode from a seed, to its end. */
export function runEpisode(env: Environment, act: Act, seed: number, steps: number): EpisodeOutcome {
  const action = new Float32Array(env.executedAction.length);
  const { rates } = env.spec;
  const feet = feetOf(env.spec).length;
  env.reset(seed);
  const heading = env.memory.heading_rad;
  const start = Float64Array.from(env.window.motion.position_m);
  const sum = { return: 0, power: 0, slip: 0, touchdowns: 0, change: 0 };
  let fell = false;
  let taken = 0;
  while (taken < steps && !fell) {
    act(env.observation, action);
    const { reward, ending } = env.step(action);
    taken++;
    if (ending === 'interrupted') break;
    sum.return += reward;
    sum.power += env.window.power_w;
    sum.slip += env.window.slip_m_s;
    sum.touchdowns += env.window.touchdowns;
    for (let j = 0; j < action.length; j++)
      sum.change += (env.memory.action[j] - env.memory.previousAction[j]) ** 2 / action.length;
    fell = ending === 'terminated';
  }
  const end = env.window.motion.position_m;
  const forward_m = Math.cos(heading) * (end[0] - start[0]) + Math.sin(heading) * (end[1] - start[1]);
  const speed_mps = (forward_m * rates.policy_hz) / steps;
  const succeeded = env.task.succeeded
    ? env.task.succeeded(env.window, env.memory)
    : speed_mps >= WALKING_M_S[0] && speed_mps <= WALKING_M_S[1];
  return {
    steps: taken,
    fell,
    success: succeeded && !fell && taken === steps,
    speed_mps,
    return: sum.return,
    power_w: sum.power / taken,
    slip_mps: sum.slip / taken,
    touchdowns_per_s: feet > 0 ? (sum.touchdowns * rates.policy_hz) / (taken * feet) : 0,
    actionChangeSquared: sum.change / taken,
  };
}

export function summarise(outcomes: readonly EpisodeOutcome[], seconds_each: number, legged: boolean): Evaluation {
  const mean = (f: (o: EpisodeOutcome) => number) => outcomes.reduce((s, o) => s + f(o), 0) / outcomes.length;
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
  };
}
