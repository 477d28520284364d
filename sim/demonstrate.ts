import { Random } from '../src/base/random.js';
import type { Episode } from '../src/datasets/features.js';
import { RobotEpisode, robotFeatures } from '../src/datasets/robotFrames.js';
import type { Policy } from '../src/policy/policy.js';
import { RiseExpert } from '../src/reset/riseExpert.js';
import type { RobotSpec } from '../src/robot/spec.js';
import { RobotState } from '../src/robot/state.js';
import { PickExpert } from '../src/tasks/pickExpert.js';
import { actionToTargets, type Moment, type Task } from '../src/tasks/task.js';
import type { Environment } from './environment.js';
import { Track } from './track.js';

export interface Demonstration {
  readonly episode: Episode;
  readonly success: boolean;
}

/** A script that can do a task, from what a policy sees. */
interface Demonstrator {
  /** Starts an episode. */
  begin(): void;
  /** The action for a moment, into `out`. */
  act(moment: Moment, random: Random, out: Float32Array): void;
}

interface Demonstrable {
  /** That it is shown by where no other is asked for. */
  readonly robot: string;
  /** The task in words, as a dataset has it. */
  readonly words: string;
  /** @param noise of the demonstrator, as a share of the range of actions */
  demonstrator(spec: RobotSpec, task: Task, noise: number): Demonstrator;
}

/** Tasks that there is a demonstrator for. */
export const demonstrable: Readonly<Record<string, Demonstrable>> = {
  pick: {
    robot: 'arm-table',
    words: 'put the peg onto the block',
    demonstrator: (spec, { contract }, noise) => new PickExpert(spec, contract.action, noise),
  },
  rise: {
    robot: 'quadruped',
    words: 'get up and stand',
    demonstrator: (...given) => new RiseExpert(...given),
  },
};

/**
 * One episode by the scripted demonstrator of the environment's task, in simulated time, through the same
 * control step and safety kernel as any policy's.
 * @param noise of the demonstrator, as a share of the range of actions
 * @param before acts first, for some part of an episode that is not recorded; the demonstrator then shows how to go on
 *   from where it got to, which is what cloning alone never sees (Ross et al., "A Reduction of Imitation Learning and
 *   Structured Prediction to No-Regret Online Learning", 2011; with takeovers in place of mixing, as in HG-DAgger,
 *   Kelly et al. 2019). The environment must let an episode be twice as long as the task does.
 */
export function demonstrate(env: Environment, seed: number, noise: number, before?: Policy): Demonstration {
  const { spec, task, control, window } = env;
  const { words, demonstrator } = demonstrable[task.name];
  const expert = demonstrator(spec, task, noise);
  const random = Random.stream(seed, 'demonstrator');
  const gathered = new RobotEpisode(robotFeatures(spec, task.contract));
  const action = new Float32Array(spec.joints.length);
  const target_rad = new Float64Array(spec.joints.length);
  env.reset(seed);
  if (before && !leadIn(env, before, random.integer(task.episodeSteps))) env.reset(seed);
  expert.begin();
  const track = new Track(env);
  for (let ending = 'none'; ending === 'none'; ) {
    const state = RobotState.for(spec);
    state.flat.set(window.state.flat);
    const observation = env.observation.slice();
    const from_rad = control.kernel.executed_rad.slice();
    const receive_time_s = env.robot.time_s;
    expert.act(window, random, action);
    const result = env.step(action);
    ending = result.ending;
    track.note();
    if (ending === 'none' && gathered.length + 1 === task.episodeSteps) ending = 'truncated';
    actionToTargets(task.contract.action, env.executedAction, from_rad, target_rad);
    gathered.add({
      state,
      target_rad,
      observation,
      nextObservation: env.observation,
      action: env.executedAction,
      reward: result.reward,
      terminal: ending === 'terminated',
      truncated: ending === 'truncated',
      success: task.succeeded?.(window, env.memory) ?? false,
      intervention: true,
      capture_time_s: state.time_s,
      receive_time_s,
    });
  }
  const success = track.succeeds ?? false;
  const outcome = success ? 'success' : 'failure';
  return { episode: gathered.finish(words, { outcome, operator: 'script' }), success };
}

/** A policy acts for so many steps. @returns false where that ended the episode, so that there is nothing to go on from */
function leadIn(env: Environment, policy: Policy, steps: number): boolean {
  const action = new Float32Array(env.executedAction.length);
  policy.reset();
  for (let k = 0; k < steps; k++) {
    policy.act(env.observation, action);
    if (env.step(action).ending !== 'none') return false;
    policy.executed?.(env.executedAction);
  }
  return true;
}
