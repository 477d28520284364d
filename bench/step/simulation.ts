import { RolloutPool } from '../../sim/rolloutPool.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';
import type { Contender } from '../measure/rounds.js';

export const simulationName = 'simulation-quadruped-walk';

/** Steps of each environment in a round. */
const STEPS = 25;
const ENVIRONMENTS = 4;

/**
 * Environment steps a second (sensing, control step, safety kernel, physics, reward) under uniformly random actions.
 * @param threads simulation workers
 */
export async function simulationContender(threads: number): Promise<Contender> {
  const robot = loadRobot('quadruped');
  const task = createTask('walk', robot.spec);
  const pool = await RolloutPool.create({
    robot,
    task,
    actor: {
      kind: 'gaussian',
      observations: observationSize(task.contract),
      actions: robot.spec.joints.length,
      hidden: [256, 256],
      activation: 'relu',
    },
    seed: 1,
    workers: threads,
    environments: ENVIRONMENTS,
    evaluation: { episodes: 1, seconds_each: 1, stepsPerRound: 1 },
  });
  return {
    engine: 'mujoco-wasm',
    threads,
    async run() {
      const start = performance.now();
      await pool.collect(STEPS, undefined);
      return (1000 * STEPS * ENVIRONMENTS) / (performance.now() - start);
    },
    dispose: () => pool.close(),
  };
}
