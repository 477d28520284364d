import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { UserError } from '../base/errors.js';
import { packageInfo } from '../base/packageInfo.js';
import { ExperienceReceiver } from '../fleet/experienceReceiver.js';
import { Link } from '../fleet/link.js';
import { publishPolicy } from '../fleet/policies.js';
import { topicsOf } from '../fleet/topics.js';
import { type Launch, loadLaunch } from '../launch/launch.js';
import { OnlineLearner } from '../learn/online/onlineLearner.js';
import { Replay } from '../learn/replay/replay.js';
import { exportActor, type SacConfig, SacLearner, sacConfig } from '../learn/sac/index.js';
import { loadCheckpoint, saveCheckpoint } from '../learn/trainer/checkpoint.js';
import { MetricsWriter } from '../learn/trainer/metrics.js';
import { taskRecipes } from '../learn/trainer/recipes.js';
import { type Bundle, readBundle, writeBundle } from '../policy/bundle.js';
import { contractOf, type Evaluation } from '../policy/manifest.js';
import { loadRobot, type Robot } from '../robot/load.js';
import { createTask } from '../tasks/index.js';
import { observationSize, type Task } from '../tasks/task.js';
import type { EngineChoice } from '../tensor/index.js';
import { engineOption } from './options.js';

const EXAMPLES = `
Examples:
  reverie learn launch/quadruped.sim.yaml --broker mqtt://127.0.0.1:1883 --run runs/online
  reverie learn launch/quadruped.sim.yaml --broker mqtt://robot.local --run runs/online --from runs/walk-quadruped-1

"reverie run" starts one by itself. The learner ends when it is told to (SIGTERM), or when the broker has been
gone for 10 s; the robot goes on without it.`;

interface LearnOptions {
  readonly broker: string;
  readonly run: string;
  readonly from?: string;
  readonly policy?: string;
  readonly engine?: EngineChoice;
}

/** The learner has nothing to do without a robot: it ends when the broker is gone for this long. */
const BROKER_GONE_S = 10;
/** Seeds of the episodes that candidates are judged on lie apart from those of training and of `reverie eval`. */
const JUDGING_SEED = 3_000_000;
const FILES = {
  checkpoint: 'checkpoint.bin',
  replay: 'replay.bin',
  identity: 'run.json',
  received: 'received.json',
  metrics: 'learner.jsonl',
  policy: 'policy',
} as const;

export function learnCommand(): Command {
  return new Command('learn')
    .description('a learner on its own: takes experience of a robot over MQTT, hands over better policies')
    .argument('<launch>', 'launch file of the robot')
    .requiredOption('--broker <url>', 'MQTT broker that the robot talks to')
    .requiredOption('--run <folder>', 'where its replay, checkpoint and metrics go')
    .option('--from <folder>', 'training run to go on from')
    .option('--policy <bundle>', 'policy that the robot starts with, which candidates have to beat')
    .addOption(engineOption())
    .addHelpText('after', EXAMPLES)
    .action((launch: string, options: LearnOptions) => learn(loadLaunch(launch), options));
}

async function learn(launch: Launch, options: LearnOptions): Promise<void> {
  const robot = loadRobot(launch.robot);
  const { spec } = robot;
  const task = createTask(launch.task, spec);
  const notice = (line: string) => process.stderr.write(`learner: ${line}\n`);
  mkdirSync(options.run, { recursive: true });
  const { learner, replay } = await openLearner(launch, robot, task, options, notice);
  const link = await Link.connect(options.broker, topicsOf(launch.site, launch.name ?? spec.name), 'learner');
  const metrics = new MetricsWriter(join(options.run, FILES.metrics));
  const { evaluation: judging } = launch.learner;
  const judge = (bundle: Bundle) =>
    evaluateBundle({ robot, bundle, ...judging, seed: JUDGING_SEED, workers: 1 });
  const bundleOf = (parameters: Float32Array, evaluation: Evaluation | null) =>
    writeBundle(
      join(options.run, FILES.policy),
      contents(launch, robot, task, learner, replay.added, parameters, evaluation),
    );

  const online = new OnlineLearner({
    learner,
    replay,
    seed: launch.seed,
    mirror: task.mirror,
    updatesPerStep: launch.learner.updates_per_step,
    warmup: launch.learner.warmup,
    evaluateEvery: launch.learner.evaluate_every,
    inUse: options.policy ? await judge(readBundle(options.policy)) : undefined,
    evaluate: (parameters) => judge(bundleOf(parameters, null)),
    publish: async (parameters, evaluation) => publishPolicy(link, bundleOf(parameters, evaluation ?? null)),
    onMetrics: (row) => {
      metrics.write({ step: row.transitions, ...row });
      link.publish(link.topics.metrics, JSON.stringify(row));
    },
    onNotice: notice,
  });
  await ExperienceReceiver.create(
    link,
    { observation: replay.contract.observation, action: replay.contract.action },
    {
      store: (transitions, gap) => online.add(transitions, gap),
      path: join(options.run, FILES.received),
      onNotice: notice,
    },
  );
  const stop = () => online.stop();
  // Ctrl-C in a terminal reaches the robot and the learner at once; the robot then ends the learner.
  process.on('SIGINT', () => {});
  process.once('SIGTERM', stop);
  const watch = setInterval(() => {
    if (link.silence_s <= BROKER_GONE_S) return;
    notice(`no broker for ${BROKER_GONE_S} s; ending`);
    stop();
  }, 1000);
  try {
    await online.run();
  } finally {
    clearInterval(watch);
    const { tensors, updates, random } = learner.save();
    saveCheckpoint(join(options.run, FILES.checkpoint), { state: { learner: { updates, random } }, tensors });
    replay.close();
    metrics.close();
    await link.close();
  }
  // A candidate may still be under evaluation in a worker; nobody waits for it.
  process.exit();
}

/** Learner and replay of this run, else of the training run to go on from, else new ones. */
async function openLearner(
  launch: Launch,
  robot: Robot,
  task: Task,
  { run, from, engine }: LearnOptions,
  onNote: (line: string) => void,
): Promise<{ learner: SacLearner; replay: Replay }> {
  const known = taskRecipes[task.name];
  const { preset, overrides } = launch.learner;
  const identity = from ? readIdentity(from) : undefined;
  const config = identity
    ? { ...identity.learner, ...overrides }
    : sacConfig(
        preset ?? known.preset,
        { ...(preset ? {} : known.learner), ...overrides },
        `${launch.path}: learner.overrides`,
      );
  const observations = observationSize(task.contract);
  const actions = robot.spec.joints.length;
  const learner = await SacLearner.create({
    observations,
    actions,
    config,
    seed: launch.seed,
    threads: 1,
    engine,
    onNote,
  });
  const path = join(run, FILES.replay);
  const own = existsSync(join(run, FILES.checkpoint));
  const source = own ? run : from;
  if (source) {
    const { state, tensors } = loadCheckpoint(join(source, FILES.checkpoint));
    const ofLearner = Object.entries(tensors).filter(([name]) => !name.startsWith('trainer.'));
    const counters = (state as unknown as { learner: { updates: number; random: number[] } }).learner;
    learner.load({ tensors: Object.fromEntries(ofLearner), ...counters });
  }
  // The training run keeps its own: this learner's transitions must not displace what it resumes from.
  if (from && !own) copyFileSync(join(from, FILES.replay), path);
  const replay = new Replay({
    observation: observations,
    action: actions,
    capacity: identity?.recipe.replay ?? launch.learner.replay,
    discount: config.gamma,
    nSteps: config.n_step,
    path,
  });
  return { learner, replay };
}

function readIdentity(run: string): { learner: SacConfig; recipe: { replay: number } } {
  const path = join(run, FILES.identity);
  if (!existsSync(path)) throw new UserError(`${run}: not a training run (no ${FILES.identity})`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

function contents(
  launch: Launch,
  { spec }: Robot,
  task: Task,
  learner: SacLearner,
  steps: number,
  parameters: Float32Array,
  evaluation: Evaluation | null,
) {
  return {
    manifest: {
      name: `${spec.name}-${task.name}-online`,
      ...contractOf(spec, task),
      training: {
        command: `reverie run ${basename(launch.path)}`,
        seed: launch.seed,
        env_steps: steps,
        robot_minutes: steps / spec.rates.policy_hz / 60,
        wall_minutes: performance.now() / 60_000,
        version: packageInfo.version,
      },
      evaluation,
    },
    onnx: exportActor(learner.options, parameters, { robot: spec.name, task: task.name }),
  };
}
