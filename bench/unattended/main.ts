/**
 * Can a robot learn with nobody beside it? A simulated robot learns its task from scratch for an hour of its
 * life, in one world that is never set back: when it falls it gets up, as it learned first and by script next,
 * at its fence it turns and walks back. It ends early, with exit code 1, where it has to ask a person.
 *
 *     node dist/bench/unattended/main.js [--robot quadruped | arm] [--minutes 60] [--fence 4] [--seed 1] [--json]
 *
 * An hour of the quadruped's life takes about as long as the updates that it owes: 36 000.
 */
import { parseArgs } from 'node:util';
import { loadMujoco } from '../../sim/mujoco.js';
import { Random } from '../../src/base/random.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import { mirrorSome, symmetryOf } from '../../src/learn/replay/mirror.js';
import { Replay } from '../../src/learn/replay/replay.js';
import { ReplayBatch } from '../../src/learn/replay/transition.js';
import { actorLayout, SacLearner, sacConfig } from '../../src/learn/sac/index.js';
import { recipeFor, taskRecipes } from '../../src/learn/trainer/recipes.js';
import { GaussianPolicy } from '../../src/policy/gaussian.js';
import type { Policy } from '../../src/policy/policy.js';
import { ArmHome } from '../../src/reset/armHome.js';
import type { Behaviour } from '../../src/reset/behaviour.js';
import { GetUpScript } from '../../src/reset/getUpScript.js';
import { learnedGetUp } from '../../src/reset/learnedGetUp.js';
import { Stand } from '../../src/reset/stand.js';
import type { Trouble } from '../../src/reset/trouble.js';
import { WalkBack } from '../../src/reset/walkBack.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';
import { warmUpActions } from '../../src/tasks/warmUpActions.js';
import { World } from './world.js';

const TASKS: Readonly<Record<string, string>> = { quadruped: 'walk', arm: 'reach' };
/** Steps between two policies that the robot is given. */
const HAND_OVER = 32;
const NOTE_MINUTES = 2;

const { values } = parseArgs({
  options: {
    robot: { type: 'string', default: 'quadruped' },
    minutes: { type: 'string', default: '60' },
    fence: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const loaded = loadRobot(values.robot);
const floating = loaded.spec.base === 'floating';
const geofence = floating ? { side_m: Number(values.fence) } : undefined;
const robot = { ...loaded, spec: { ...loaded.spec, geofence } };
const { spec } = robot;
const taskName = TASKS[values.robot];
const task = createTask(taskName, spec);
const recipe = recipeFor(taskName);
const { preset, learner: overrides } = taskRecipes[taskName];
const config = sacConfig(preset, overrides);
const sizes = { observations: observationSize(task.contract), actions: spec.joints.length, config };
const learner = await SacLearner.create({ ...sizes, seed, threads: 1 });
const replay = new Replay({
  observation: sizes.observations,
  action: sizes.actions,
  capacity: recipe.replay,
  discount: config.gamma,
  nSteps: config.n_step,
});
const batch = new ReplayBatch(config.batch, replay.contract);
const symmetry = symmetryOf(task);
const sampling = Random.stream(seed, 'replay');
const chance = Random.stream(seed, 'warmup');
const warming = warmUpActions(recipe.warmup_actions, task, spec, chance);
const actor = new GaussianPolicy(actorLayout(sizes));
actor.setParameters(learner.actorParameters());

let transitions = 0;
const policy: Policy = {
  observationSize: sizes.observations,
  actionSize: sizes.actions,
  act: (observation, action, explore) => {
    if (transitions < recipe.warmup) warming.next(action);
    else actor.act(observation, action, explore);
  },
  reset() {},
};

let owed = 0;
let updates = 0;
let episodes = 0;
const rewards: number[] = [];
function take(step: Step): void {
  rewards.push(step.reward);
  if (step.flags !== 0) episodes++;
  if (step.flags & StepFlag.interrupted) {
    replay.cut(0);
    return;
  }
  replay.add({
    stream: 0,
    observation: Float32Array.from(step.observation),
    action: Float32Array.from(step.executed),
    reward: step.reward,
    nextObservation: Float32Array.from(step.nextObservation),
    terminal: (step.flags & StepFlag.terminal) !== 0,
    truncated: (step.flags & StepFlag.truncated) !== 0,
  });
  transitions++;
  if (transitions > recipe.warmup) owed += recipe.updates_per_step;
}

async function learn(): Promise<void> {
  for (; owed >= 1; owed--) {
    replay.sample(config.batch, sampling, batch);
    if (symmetry) mirrorSome(batch, symmetry, sampling);
    await learner.step(batch, updates % config.actor_every === 0);
    updates++;
  }
  actor.setParameters(learner.actorParameters());
}

const home: Behaviour = floating ? new Stand(spec) : new ArmHome(spec);
const behaviours: Readonly<Record<Trouble, readonly Behaviour[]>> = {
  fall: [learnedGetUp(spec), spec.get_up && new GetUpScript(spec)].filter((known) => known !== undefined),
  fence: WalkBack.canWalk(spec) ? [new WalkBack(spec)] : [],
  workspace: [home],
  stuck_joint: [home],
  no_progress: [home],
  time_out: [home],
  latched: [],
};
const resets: Record<string, Record<string, number>> = {};
let personAsked = 0;
const world = new World(await loadMujoco(), robot, {
  task: taskName,
  seed,
  tries: 4,
  noProgress_s: 20,
  mayLie: false,
  homeAfterEpisode: !floating,
  behavioursFor: (trouble) => behaviours[trouble],
  onStep: take,
  onReset: ({ trouble, outcome, time_s }) => {
    resets[trouble] ??= {};
    resets[trouble][outcome] = (resets[trouble][outcome] ?? 0) + 1;
    if (outcome !== 'person_asked') return;
    personAsked++;
    process.stderr.write(`${(time_s / 60).toFixed(1)} min: a person is asked for (${trouble})\n`);
  },
});

const total_s = 60 * Number(values.minutes);
const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / Math.max(1, of.length);
const perStep = (from: number, to: number) => Number(mean(rewards.slice(from, to)).toFixed(3));
world.begin(policy);
let noted = 0;
let handedOver = 0;
while (world.time_s < total_s && personAsked === 0) {
  world.tick();
  if (rewards.length - handedOver >= HAND_OVER) {
    handedOver = rewards.length;
    await learn();
  }
  if (world.time_s < 60 * NOTE_MINUTES * noted) continue;
  noted++;
  const recent = perStep(-2000, rewards.length);
  process.stderr.write(
    `${(world.time_s / 60).toFixed(0)} min: ${transitions} transitions, ${updates} updates, ${world.loop.falls} falls, reward a step ${recent}, ${JSON.stringify(resets)}\n`,
  );
}
const tenth = Math.max(1, Math.floor(rewards.length / 10));
const report = {
  robot: spec.name,
  task: taskName,
  minutes: Number((world.time_s / 60).toFixed(2)),
  person_asked: personAsked,
  transitions,
  updates,
  episodes,
  falls: world.loop.falls,
  reward_first_tenth: perStep(0, tenth),
  reward_last_tenth: perStep(-tenth, rewards.length),
  furthest_outside_fence_m: floating ? Number(world.outside_m.toFixed(3)) : null,
  resets,
  seed,
};
world.close();
replay.close();
await learner.dispose();
process.stdout.write(`${JSON.stringify(report, undefined, values.json ? 0 : 2)}\n`);
process.exitCode = personAsked > 0 ? 1 : 0;
