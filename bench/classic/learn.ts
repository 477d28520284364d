import { Random } from '../../src/base/random.js';
import {
  type DreamerConfig,
  DreamerLearner,
  DreamerTraining,
  exportPolicy,
  policyNames,
} from '../../src/learn/dreamer/index.js';
import { Replay } from '../../src/learn/replay/replay.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { type ClassicTask, EPISODE_FRAMES } from './task.js';

/** Frames for which an action is held. */
const REPEAT = 2;
/** Policy steps under random actions before anything is learned: two episodes. */
const RANDOM_STEPS = EPISODE_FRAMES;
const CAPACITY = 250_000;

export interface LearnOptions {
  readonly create: () => ClassicTask;
  readonly config: DreamerConfig;
  readonly seed: number;
  readonly frames: number;
  /** Steps replayed for each step of the policy: batch · length of each update. */
  readonly replayRatio: number;
  /** Frames between evaluations, and how many episodes each takes. */
  readonly evaluateEvery: number;
  readonly episodes: number;
  readonly onEvaluation: (evaluation: ClassicEvaluation) => void;
}

export interface ClassicEvaluation {
  readonly frames: number;
  readonly updates: number;
  readonly wall_minutes: number;
  /** Mean return of the best actions over whole episodes. */
  readonly score: number;
  readonly scores: readonly number[];
  /** Of the newest episode of training. */
  readonly training_score: number;
  readonly losses: Readonly<Record<string, number>>;
}

/** Dreamer on one task from nothing, collecting and learning in turns. @returns all evaluations */
export async function learnClassic(options: LearnOptions): Promise<ClassicEvaluation[]> {
  const { config, seed, frames, replayRatio, evaluateEvery } = options;
  const began = performance.now();
  const [task, judged] = [options.create(), options.create()];
  const world = { observations: task.observation.length, actions: task.actions };
  const learner = await DreamerLearner.create({ world, config, seed, threads: 1 });
  const replay = new Replay({
    observation: world.observations,
    action: world.actions,
    capacity: CAPACITY,
    discount: 1 - 1 / config.discount_horizon,
  });
  const training = new DreamerTraining({ learner, replay, seed });
  const [acting, best] = [actorOf(learner), actorOf(learner)];
  const random = Random.stream(seed, 'exploration');
  const action = new Float32Array(world.actions);
  const before = new Float32Array(world.observations);
  const evaluations: ClassicEvaluation[] = [];
  let [updates, episode, score, training_score] = [0, 0, 0, Number.NaN];

  const begin = () => {
    task.begin(Random.stream(seed, 'episode', episode++));
    acting.policy.reset();
    score = 0;
  };
  begin();
  for (let step = 1; step * REPEAT <= frames; step++) {
    before.set(task.observation);
    if (step <= RANDOM_STEPS) random.fillUniform(action, -1, 1);
    else acting.policy.act(task.observation, action, { random, scale: 1 });
    const reward = held(task, action);
    score += reward;
    const over = (step * REPEAT) % EPISODE_FRAMES === 0;
    replay.add({
      ...{ stream: 0, observation: before, action, reward, nextObservation: task.observation },
      ...{ terminal: false, truncated: over },
    });
    if (over) {
      training_score = score;
      begin();
    }
    const owed = ((step - RANDOM_STEPS) * replayRatio) / config.batch / config.length;
    for (; updates < owed; updates++) await training.update();
    if (step > RANDOM_STEPS) acting.take();
    if ((step * REPEAT) % evaluateEvery !== 0) continue;
    best.take();
    const scores = Array.from({ length: options.episodes }, (_, i) =>
      episodeScore(judged, best.policy, Random.stream(seed, 'evaluation', step, i)),
    );
    const evaluation = {
      frames: step * REPEAT,
      updates,
      wall_minutes: (performance.now() - began) / 60_000,
      score: scores.reduce((sum, s) => sum + s, 0) / scores.length,
      scores,
      training_score,
      losses: { ...learner.metrics(), ...(await training.study()) },
    };
    evaluations.push(evaluation);
    options.onEvaluation(evaluation);
  }
  await training.dispose();
  for (const t of [task, judged]) t.close();
  return evaluations;
}

function held(task: ClassicTask, action: Float32Array): number {
  let reward = 0;
  for (let i = 0; i < REPEAT; i++) reward += task.frame(action);
  return reward;
}

/** What acts as a robot would: the exported network, with the learner's weights as of `take`. */
function actorOf(learner: DreamerLearner) {
  const { networks } = learner;
  const { world, config } = learner.options;
  const { policyLayout: layout } = networks;
  const ones = new Array<number>(world.actions).fill(1);
  const policy = loadPolicy({
    manifest: {
      observation: [{ name: 'observation', size: world.observations, unit: '1' }],
      action: { kind: 'residual', centre_rad: ones.map(() => 0), scale_rad: ones },
      network: { file: 'policy.onnx', ...policyNames(world, config) },
    },
    onnx: exportPolicy(networks, new Float32Array(layout.size), {}),
    path: 'bench',
  });
  let updates = -1;
  return {
    policy,
    take: () => {
      if (updates === learner.updates) return;
      updates = learner.updates;
      policy.setWeights(layout.cut(learner.policyParameters()));
    },
  };
}

function episodeScore(task: ClassicTask, policy: ReturnType<typeof loadPolicy>, random: Random): number {
  const action = new Float32Array(task.actions);
  task.begin(random);
  policy.reset();
  let score = 0;
  for (let frame = 0; frame < EPISODE_FRAMES; frame += REPEAT) {
    policy.act(task.observation, action);
    score += held(task, action);
  }
  return score;
}
