import { Random } from '../src/base/random.js';
import type { Episode } from '../src/datasets/features.js';
import { RobotEpisode, robotFeatures } from '../src/datasets/robotFrames.js';
import { RobotState } from '../src/robot/state.js';
import { PickExpert } from '../src/tasks/pickExpert.js';
import { actionToTargets } from '../src/tasks/task.js';
import type { Environment } from './environment.js';

export interface Demonstration {
  readonly episode: Episode;
  readonly success: boolean;
}

/** The task in words, as a dataset has it. */
const WORDS = 'put the peg onto the block';

/**
 * One episode by the scripted demonstrator, in simulated time, through the same control step and
 * safety kernel as any policy's.
 * @param noise of the demonstrator, as a share of the range of actions
 */
export function demonstratePick(env: Environment, seed: number, noise: number): Demonstration {
  const { spec, task, control, window } = env;
  const expert = new PickExpert(spec, task.contract.action, noise);
  const random = Random.stream(seed, 'demonstrator');
  const gathered = new RobotEpisode(robotFeatures(spec, task.contract));
  const action = new Float32Array(spec.joints.length);
  const target_rad = new Float64Array(spec.joints.length);
  env.reset(seed);
  expert.begin();
  for (let ending = 'none'; ending === 'none'; ) {
    const state = RobotState.for(spec);
    state.flat.set(window.state.flat);
    const observation = env.observation.slice();
    const from_rad = control.kernel.executed_rad.slice();
    const receive_time_s = env.robot.time_s;
    expert.act(window, random, action);
    const result = env.step(action);
    ending = result.ending;
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
  const success = task.succeeded?.(window, env.memory) ?? false;
  const outcome = success ? 'success' : 'failure';
  return { episode: gathered.finish(WORDS, { outcome, operator: 'script' }), success };
}
