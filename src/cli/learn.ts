import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { UserError } from '../base/errors.js';
import { packageInfo } from '../base/packageInfo.js';
import { startBroker } from '../fleet/broker.js';
import { CursorFile } from '../fleet/cursors.js';
import { ExperienceReceiver } from '../fleet/experienceReceiver.js';
import { Link } from '../fleet/link.js';
import { MetricsServer } from '../fleet/prometheus.js';
import { Rollout } from '../fleet/rollout.js';
import type { Metrics } from '../fleet/telemetry.js';
import { runTopics } from '../fleet/topics.js';
import { type Launch, loadLaunch, runName } from '../launch/launch.js';
import { taskOf } from '../launch/taskOf.js';
import { OnlineLearner, type OnlineState } from '../learn/online/onlineLearner.js';
import { Replay } from '../learn/replay/replay.js';
import type { LearnerCheckpoint, ReplayLearner } from '../learn/replayLearner.js';
import { loadCheckpoint, saveCheckpoint } from '../learn/trainer/checkpoint.js';
import { MetricsWriter } from '../learn/trainer/metrics.js';
import { type Bundle, readBundle, writeBundle } from '../policy/bundle.js';
import { contractOf, type Evaluation } from '../policy/manifest.js';
import { keysIn, ownKeys, readSigningKey } from '../policy/signature.js';
import { loadRobot, type Robot } from '../robot/load.js';
import { observationSize, type Task } from '../tasks/task.js';
import type { EngineChoice } from '../tensor/index.js';
import { accessOf, addBrokerOptions, type BrokerOptions } from './brokerOptions.js';
import { demonstratedSteps } from './demonstrations.js';
import { type LearnerKind, type LearnerSetup, resumedLearner, setUpLearner } from './learners.js';
import { engineOption, port } from './options.js';

const EXAMPLES = `
Examples:
  reverie learn launch/quadruped.sim.yaml --run runs/online --from runs/walk-quadruped-1
  reverie learn launch/arm.sim.yaml --run runs/online --broker mqtts://broker.lab:8883 --broker-ca lab.pem
  reverie learn launch/arm.sim.yaml --run runs/online --metrics 9464

It serves every robot that does the launch file's run at its site: "reverie run LAUNCH --broker URL --name NAME"
on each. "reverie run" without a broker starts a learner by itself. Ended by Ctrl-C or killed, it goes on
where it was when it is started again with the same --run.`;

interface LearnOptions extends BrokerOptions {
  readonly run: string;
  readonly from?: string;
  readonly policy?: string;
  readonly engine?: EngineChoice;
  readonly signingKey?: string;
  readonly metrics?: number;
  /** Started by a robot: it alone is served, and without its broker there is nothing to do. */
  readonly whileBroker?: true;
}

/** Port of the broker that a learner on its own brings along. */
const BROKER_PORT = 1883;
/** Steps that have to be shown before half of each batch comes from them: fewer would be repeated too often. */
const LEAST_SHOWN = 100;
/** Demonstrated steps kept: more than an hour at 10 a second. */
const DEMONSTRATIONS = 50_000;
/** A robot's own learner has nothing to do without it: it ends when the broker is gone for this long. */
const BROKER_GONE_S = 10;
/** Seeds of the episodes that candidates are judged on lie apart from those of training and of `reverie eval`. */
const JUDGING_SEED = 3_000_000;
const FILES = {
  checkpoint: 'checkpoint.bin',
  replay: 'replay.bin',
  demonstrations: 'demonstrations.bin',
  identity: 'run.json',
  received: 'received.json',
  metrics: 'learner.jsonl',
  policy: 'policy',
  rollout: 'rollout',
} as const;

export function learnCommand(): Command {
  const command = new Command('learn')
    .description('a learner on its own: takes experience of robots over MQTT, hands over better policies')
    .argument('<launch>', 'launch file of the robots')
    .requiredOption('--run <folder>', 'where its replay, checkpoint and metrics go')
    .option('--from <folder>', 'training run to go on from')
    .option('--policy <bundle>', 'policy that the robots start with, which candidates have to beat')
    .option('--signing-key <file>', 'private key that policies are signed with; or REVERIE_SIGNING_KEY')
    .option('--metrics <port>', 'for Prometheus, on the loopback interface', port)
    .addOption(engineOption())
    .addOption(new Option('--while-broker').hideHelp())
    .addHelpText('after', EXAMPLES);
  return addBrokerOptions(command, `one of its own, on port ${BROKER_PORT} of the loopback interface`).action(
    (launch: string, options: LearnOptions) => learn(loadLaunch(launch), options),
  );
}

async function learn(launch: Launch, options: LearnOptions): Promise<void> {
  const robot = loadRobot(launch.robot);
  const { spec } = robot;
  const task = taskOf(launch, spec);
  const notice = (line: string) => process.stderr.write(`learner: ${line}\n`);
  mkdirSync(options.run, { recursive: true });
  const key = readSigningKey(signingKey(options, notice));
  const { setup, learner, demonstrations, state } = await openLearner(launch, robot, task, options, notice);
  const { replay } = learner;
  const embedded = options.broker === undefined ? await startBroker(BROKER_PORT) : undefined;
  if (embedded) notice(`a broker of its own: ${embedded.url}`);
  const cursors = CursorFile.open(join(options.run, FILES.received), replay.added);
  const names = { site: launch.site, run: runName(launch) };
  const topics = runTopics(names.site, names.run);
  const link = await Link.connect(embedded ? { url: embedded.url } : accessOf(options.broker!, options), {
    presence: topics.presence(cursors.learner),
    patient: !options.whileBroker,
    onNotice: notice,
  });
  const metrics = new MetricsWriter(join(options.run, FILES.metrics));
  const server = options.metrics === undefined ? undefined : await MetricsServer.open(options.metrics);
  if (server) notice(`metrics at ${server.url}`);
  const { evaluation: judging, rollout: rules } = launch.learner;
  const judge = (bundle: Bundle) =>
    evaluateBundle({
      robot,
      bundle,
      parameters: launch.parameters,
      ...judging,
      seed: JUDGING_SEED,
      workers: 1,
    });
  const bundleOf = (parameters: Float32Array, evaluation: Evaluation | null) =>
    writeBundle(
      join(options.run, FILES.policy),
      contents(launch, robot, task, setup, replay, parameters, evaluation),
    );
  const rollout = await Rollout.create(link, {
    ...names,
    key,
    canary: rules.canary,
    trial: { seconds: rules.trial_s, tolerance: rules.tolerance, safety_events: rules.safety_events },
    folder: join(options.run, FILES.rollout),
    onWithdrawn: () => online.givenBack(),
    onNotice: notice,
  });

  const online = new OnlineLearner({
    learner,
    demonstrations,
    state,
    updatesPerStep: launch.learner.updates_per_step,
    warmup: launch.learner.warmup,
    evaluateEvery: launch.learner.evaluate_every,
    inUse: options.policy && !state ? await judge(readBundle(options.policy)) : undefined,
    evaluate: launch.learner.gate === 'none' ? undefined : (parameters) => judge(bundleOf(parameters, null)),
    publish: (parameters, evaluation) => rollout.publish(bundleOf(parameters, evaluation ?? null)),
    onMetrics: (row) => {
      const { robots, duplicates, lost, refusals } = receiver;
      const all: Metrics = { ...row, robots, duplicates, lost, refused: refusals.total };
      metrics.write({ step: row.transitions, ...row });
      link.report(topics.metrics(cursors.learner), all);
      server?.set('learner', all, { ...names, learner: cursors.learner });
    },
    save: () => save(),
    onNotice: notice,
  });
  const receiver = await ExperienceReceiver.create(
    link,
    { observation: replay.contract.observation, action: replay.contract.action },
    {
      ...names,
      store: {
        add: (stream, transitions, gap) => online.add(stream, transitions, gap),
        flush: () => {
          replay.flush();
          demonstrations.flush();
        },
        rewind: (added) => replay.rewind(added),
        get added() {
          return replay.added;
        },
      },
      cursors,
      onNotice: notice,
    },
  );
  const save = () => {
    const { tensors, state: ofLearner } = learner.save();
    const all = { learner: ofLearner, online: online.save() };
    saveCheckpoint(join(options.run, FILES.checkpoint), { state: all as never, tensors });
  };
  // From the first moment on a new life goes on from here, and not from the training run again.
  if (!state) save();
  const stop = () => online.stop();
  // Ctrl-C in a terminal reaches the robot and its own learner at once; the robot then ends the learner.
  if (options.whileBroker) process.on('SIGINT', () => {});
  else process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const watch = setInterval(() => {
    if (!options.whileBroker || link.silence_s <= BROKER_GONE_S) return;
    notice(`no broker for ${BROKER_GONE_S} s; ending`);
    stop();
  }, 1000);
  try {
    await online.run();
  } finally {
    clearInterval(watch);
    receiver.close();
    save();
    replay.close();
    demonstrations.close();
    metrics.close();
    await link.close();
    await embedded?.close();
  }
  // A candidate may still be under evaluation in a worker; nobody waits for it.
  process.exit();
}

/** The key that is given, else this user's own, made where there is none. */
function signingKey(options: LearnOptions, notice: (line: string) => void): string {
  const given = options.signingKey ?? process.env.REVERIE_SIGNING_KEY;
  if (given !== undefined) return given;
  const keys = keysIn(ownKeys());
  if (!options.whileBroker) notice(`robots elsewhere have to trust ${keys.public}: reverie run --trust`);
  return keys.private;
}

interface SavedState {
  readonly learner: LearnerCheckpoint['state'];
  /** Not in the checkpoint of a training run. */
  readonly online?: OnlineState;
}

interface Opened {
  readonly setup: LearnerSetup;
  readonly learner: ReplayLearner;
  readonly demonstrations: Replay;
  readonly state: OnlineState | undefined;
}

/** Learner and replay of this run, else of the training run to go on from, else new ones. */
async function openLearner(
  launch: Launch,
  robot: Robot,
  task: Task,
  options: LearnOptions,
  onNote: (line: string) => void,
): Promise<Opened> {
  const { run, from, engine } = options;
  const { kind, preset, overrides } = launch.learner;
  if (kind === 'dreamer' && launch.learner.demos)
    throw new UserError(`${launch.path}: learner.demos goes with kind "sac", not "dreamer"`);
  const identity = from ? readIdentity(from) : undefined;
  if (identity && identity.algorithm !== kind)
    throw new UserError(
      `${from}: was trained by "${identity.algorithm}", ${launch.path} has learner: kind "${kind}"`,
    );
  const setup = identity
    ? resumedLearner(kind, robot, task, { ...identity.learner, ...overrides })
    : setUpLearner(kind, robot, task, { preset, overrides }, `${launch.path}: learner.overrides`);
  const own = existsSync(join(run, FILES.checkpoint));
  const path = join(run, FILES.replay);
  // The training run keeps its own: this learner's transitions must not displace what it resumes from.
  if (from && !own) copyFileSync(join(from, FILES.replay), path);
  const replay = new Replay({
    observation: observationSize(task.contract),
    action: robot.spec.joints.length,
    capacity: identity?.recipe.replay ?? launch.learner.replay,
    ...setup.returns,
    path,
  });
  const source = own ? run : from;
  const saved = source ? loadCheckpoint(join(source, FILES.checkpoint)) : undefined;
  const { learner: ofLearner, online } = (saved?.state ?? {}) as unknown as Partial<SavedState>;
  const state = own ? online : undefined;
  const demonstrations = await openDemonstrations(launch, robot, task, replay, setup, options, !state);
  const { learner } = await setup.open({
    replay,
    demonstrations,
    leastShown: LEAST_SHOWN,
    seed: launch.seed,
    purpose: 'online',
    threads: 1,
    engine,
    onNote,
  });
  if (saved && ofLearner) {
    const tensors = Object.entries(saved.tensors).filter(([name]) => !name.startsWith('trainer.'));
    learner.load({ tensors: Object.fromEntries(tensors), state: ofLearner });
  }
  return { setup, learner, demonstrations, state };
}

/**
 * What the launch file's dataset shows, read when a run begins, and what a person will show while it
 * goes on: kept in the run's folder.
 */
async function openDemonstrations(
  { learner: { demos } }: Launch,
  { spec }: Robot,
  task: Task,
  { contract }: Replay,
  { returns }: LearnerSetup,
  { run }: LearnOptions,
  begins: boolean,
): Promise<Replay> {
  const shown = begins && demos ? await demonstratedSteps(demos, spec, task) : [];
  const path = join(run, FILES.demonstrations);
  // Left by a life that ended before its first checkpoint.
  if (begins) rmSync(path, { force: true });
  const demonstrations = new Replay({ ...contract, capacity: DEMONSTRATIONS, ...returns, path });
  for (const transition of shown) demonstrations.add({ stream: 0, ...transition });
  demonstrations.cut(0);
  return demonstrations;
}

function readIdentity(run: string): {
  algorithm: LearnerKind;
  learner: LearnerSetup['config'];
  recipe: { replay: number };
} {
  const path = join(run, FILES.identity);
  if (!existsSync(path)) throw new UserError(`${run}: not a training run (no ${FILES.identity})`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

function contents(
  launch: Launch,
  { spec }: Robot,
  task: Task,
  setup: LearnerSetup,
  replay: Replay,
  parameters: Float32Array,
  evaluation: Evaluation | null,
) {
  const { onnx, names } = setup.network(parameters, replay);
  const steps = replay.added;
  return {
    manifest: {
      name: `${spec.name}-${task.name}-online`,
      ...contractOf(spec, task, names),
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
    onnx,
  };
}
