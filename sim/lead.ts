import type { Behaviour, Progress, View } from '../src/reset/behaviour.js';
import type { Environment } from './environment.js';

/** What became of a behaviour that led a simulated robot. */
export interface Led {
  readonly progress: Progress;
  readonly seconds: number;
  /** Mechanical work of the drives, J. */
  readonly work_j: number;
}

/** What a behaviour sees of the robot of an environment. */
export function viewOf({ robot, window, control }: Environment): View {
  const { kernel, estimator } = control;
  return {
    time_s: robot.time_s,
    state: window.state,
    estimate: estimator,
    place_m: window.motion.position_m,
    executed_rad: kernel.executed_rad,
  };
}

/**
 * Has a behaviour lead the robot from where an episode began, in simulated time and through the safety kernel.
 * @param limit_s after which it is left alone, still 'going'
 * @throws SimulationDiverged
 */
export function lead(env: Environment, behaviour: Behaviour, limit_s: number): Led {
  const { robot, spec, window } = env;
  const targets_rad = new Float64Array(spec.joints.length);
  const ticks = Math.round(spec.rates.control_hz / behaviour.rate_hz);
  const began_s = robot.time_s;
  let work_j = 0;
  let progress: Progress = 'going';
  behaviour.begin(viewOf(env));
  for (;;) {
    progress = behaviour.next(viewOf(env), targets_rad);
    const seconds = robot.time_s - began_s;
    if (progress !== 'going' || seconds >= limit_s) return { progress, seconds, work_j };
    window.begin();
    env.lead(targets_rad, ticks);
    work_j += (window.power_w * ticks) / spec.rates.control_hz;
  }
}
