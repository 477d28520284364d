import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { packageInfo } from '../base/packageInfo.js';
import { startBroker } from '../fleet/broker.js';
import { CursorFile } from '../fleet/cursors.js';
import { ExperienceReceiver } from '../fleet/experienceReceiver.js';
import { Link } from '../fleet/link.js';
import { MetricsServer } from '../fleet/prometheus.js';
import { Rollout } from '../fleet/rollout.js';
import { answerSaves } from '../fleet/saving.js';
import type { Metrics } from '../fleet/telemetry.js';
import { runTopics } from '../fleet/topics.js';
import { type Launch, loadLaunch, runName } from '../launch/launch.js';
import { taskOf } from '../launch/taskOf.js';
import { OnlineLearner } from '../learn/online/onlineLearner.js';
import type { Replay } from '../learn/replay/replay.js';
import { saveCheckpoint } from '../learn/trainer/checkpoint.js';
import { MetricsWriter } from '../learn/trainer/metrics.js';
import { type Bundle, readBundle, writeBundle } from '../policy/bundle.js';
import { contractOf, type Evaluation } from '../policy/manifest.js';
import { keysIn, ownKeys, readSigningKey } from '../policy/signature.js';
import { loadRobot, type Robot } from '../robot/load.js';
import type { Task } from '../tasks/task.js';
import type { EngineChoice } from '../tensor/index.js';
import { accessOf, addBrokerOptions, type BrokerOptions } from './brokerOptions.js';
import type { LearnerSetup } from './learners.js';
import { ONLINE_FILES, openOnlineLearner } from './onlineParts.js';
import { engineOption, port } from './options.js';
import { dreamIn, writeDream } from './worldModel.js';

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
/** A robot's own learner has nothing to do without it: it ends when the broker is gone for this long. */
const BROKER_GONE_S = 10;
/** Seeds of the episodes that candidates are judged on lie apart from those of training and of `reverie eval`. */
const JUDGING_SEED = 3_000_000;
const FILES = {
  ...ONLINE_FILES,
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
  const { setup, learner, demonstrations, state } = await openOnlineLearner(
    launch,
    robot,
    task,
    options,
    notice,
    (openLoop) => {
      const dream = dreamIn(openLoop, spec, task);
      writeDream(options.run, dream);
      // Pictures stay in the run's folder: to all that listen they would be far the most of the report.
      link.report(topics.worldModel(cursors.learner), { ...dream, pictures: undefined });
    },
  );
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
    robotsBegin: launch.learner.warmup_actions !== undefined,
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
  await answerSaves(link, { ...names, learner: cursors.learner }, () => online.saveSoon());
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
        ...(launch.parameters && { parameters: launch.parameters }),
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
