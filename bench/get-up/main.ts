/**
 * How often does a fallen robot get up, how soon and at what cost: by script, and as learned? Each from the
 * same lyings: back, sides and belly, turned a little, legs as they fell; friction 0.5–1.3, payload −0.5–1 kg.
 *
 *     node dist/bench/get-up/main.js [--robot quadruped] [--policy BUNDLE | none] [--lyings 100] [--seed 1] [--json]
 */
import { parseArgs } from 'node:util';
import { Environment } from '../../sim/environment.js';
import { lead } from '../../sim/lead.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { trainingRandomisation } from '../../sim/randomise.js';
import { Random } from '../../src/base/random.js';
import type { Behaviour } from '../../src/reset/behaviour.js';
import { GetUpScript } from '../../src/reset/getUpScript.js';
import { learnedGetUp } from '../../src/reset/learnedGetUp.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';

/** Behaviours give up by themselves before this. */
const LIMIT_S = 30;

const { values } = parseArgs({
  options: {
    robot: { type: 'string', default: 'quadruped' },
    policy: { type: 'string' },
    lyings: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const robot = loadRobot(values.robot);
const { spec } = robot;
const learned = values.policy === 'none' ? undefined : learnedGetUp(spec, values.policy);
const behaviours: Behaviour[] = [new GetUpScript(spec), ...(learned ? [learned] : [])];

interface Result {
  readonly behaviour: string;
  readonly lyings: number;
  readonly up: number;
  /** Of those that got up. */
  readonly median_s: number;
  readonly slowest_s: number;
  readonly mean_work_j: number;
}

const env = new Environment(await loadMujoco(), robot, createTask('rise', spec), trainingRandomisation);
const lyings = Number(values.lyings);

function measure(behaviour: Behaviour): Result {
  const led = Array.from({ length: lyings }, (_, k) => {
    env.reset(Random.stream(Number(values.seed), 'lying', k).uint32());
    return lead(env, behaviour, LIMIT_S);
  });
  const up = led.filter(({ progress }) => progress === 'done');
  const seconds = up.map((one) => one.seconds).sort((a, b) => a - b);
  return {
    behaviour: behaviour.name,
    lyings,
    up: up.length,
    median_s: seconds[seconds.length >> 1],
    slowest_s: seconds.at(-1) ?? Number.NaN,
    mean_work_j: up.reduce((sum, { work_j }) => sum + work_j, 0) / up.length,
  };
}

const results = behaviours.map(measure);
env.close();
if (values.json) process.stdout.write(`${JSON.stringify({ seed: Number(values.seed), results })}\n`);
else
  for (const { behaviour, up, median_s, slowest_s, mean_work_j } of results)
    process.stdout.write(
      `${behaviour}: ${up} of ${lyings}, after ${median_s.toFixed(1)} s (median), ${slowest_s.toFixed(1)} s at most, ${mean_work_j.toFixed(0)} J\n`,
    );
