import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../base/errors.js';
import { RobotProcess } from '../control/robotProcess.js';
import { SafetyLog } from '../control/safetyLog.js';
import { type Launch, loadLaunch, robotName, runName } from '../launch/launch.js';
import { robotOf } from '../launch/robotOf.js';
import { taskOf } from '../launch/taskOf.js';
import { admit } from '../policy/admission.js';
import { type Bundle, readBundle } from '../policy/bundle.js';
import { keysIn, ownKeys, readSigningKey, readTrustedKey } from '../policy/signature.js';
import type { RobotSpec } from '../robot/spec.js';
import { readRosArguments } from '../ros/rosArguments.js';
import { transportNames } from '../ros/transport/open.js';
import type { EngineChoice } from '../tensor/engineNames.js';
import { accessOf, addBrokerOptions, type BrokerOptions } from './brokerOptions.js';
import { Cockpit } from './cockpit.js';
import { driverFor } from './drivers.js';
import { Ending } from './ending.js';
import { FleetLink } from './fleetLink.js';
import { type LaunchOptions, withOptions } from './launchOptions.js';
import { LearnerChild } from './learnerChild.js';
import { operator } from './operator.js';
import { engineOption, fleetName, port, seconds } from './options.js';
import { printJson } from './output.js';
import { RecordingDesk } from './recordingDesk.js';
import {
  addRecordingOptions,
  type Recorded,
  type RecordingOptions,
  recordingBeside,
} from './recordingOptions.js';
import { ResetKeeper } from './resetKeeper.js';
import { RosNodes } from './rosNodes.js';
import { type RunSummary, summarise } from './runSummary.js';
import { StatusLine } from './statusLine.js';
import { type Device, toggle } from './teleopDevices.js';
import { Watch } from './watch.js';

const EXAMPLES = `
Examples:
  reverie run launch/quadruped.sim.yaml --policy runs/walk-quadruped-1/policy --training-run runs/walk-quadruped-1
  reverie run quadruped.sim --policy quadruped-walk --seconds 60
  reverie run launch/arm.sim.yaml --policy arm-reach --seconds 20 --json | tail -n 1
  reverie run arm.sim --ros cyclone --ros-args -r __ns:=/robot_1 -r cmd_vel:=twist -p hardware:rate_hz:=100
  reverie run quadruped.sim --policy quadruped-walk --record walk.mcap
  reverie run launch/arm.sim.yaml --name arm-7 --broker mqtts://broker.lab:8883 --broker-ca lab.pem --trust signing.pub

Space bar: emergency stop, which ends the run. T: take the robot over, and give it back. Ctrl-C: to the stop pose, then torque off; Ctrl-C again:
emergency stop. Exit codes: 0 done, 1 a fault, 2 a mistake in what was asked, 3 emergency stop.`;

export interface RunOptions extends BrokerOptions, LaunchOptions, Recorded {
  /** PEM of a public key whose policies may be loaded. */
  readonly trust?: string;
  /** Bundle, by name or folder; the launch file's where not given; false for none. */
  readonly policy?: string | false;
  /** Folder of the training run that the policy comes from: the learner goes on from there. */
  readonly trainingRun?: string;
  /** Length of the real-time part; without end where not given. */
  readonly seconds?: number;
  /** What the learner runs on. */
  readonly engine?: EngineChoice;
  /** What a person holds in their hands, beside the dashboard. */
  readonly device?: Device;
}

const EMERGENCY_STOP = 3;
/** After an emergency stop the drives brake for this long before torque goes off. */
const BRAKE_S = 1;

export function runCommand(): Command {
  const command = new Command('run')
    .description('run a robot in real time, with its safety kernel, and learn from what it does')
    .argument('<launch>', 'launch file, or name of one in launch/')
    .option('--policy <bundle>', 'policy to start with, by name or folder')
    .option('--training-run <folder>', 'training run that the learner goes on from')
    .addOption(
      new Option('--ros <transport>', 'show the robot to ROS 2').choices(['none', ...transportNames]),
    )
    .option('--seconds <s>', 'end after this long', seconds)
    .addOption(engineOption())
    .option('--no-dashboard', 'without the dashboard')
    .option('--dashboard-port <n>', 'port of the dashboard; 0 for any free one', port)
    .option('--name <name>', 'of this robot in the fleet', fleetName)
    .option('--site <name>', 'of the fleet', fleetName)
    .option('--trust <file>', 'public key whose policies may be loaded; or REVERIE_TRUST')
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES);
  addRecordingOptions(command);
  return addBrokerOptions(command, 'one in this process, with a learner beside it').action(
    async (launch: string, options: RunOptions & RecordingOptions & { json?: true }) => {
      const rosArguments = readRosArguments(process.argv);
      const beside = recordingBeside(options);
      const summary = await runLaunch(loadLaunch(launch), { ...options, ...beside, rosArguments });
      if (options.json) printJson(summary);
    },
  );
}

/**
 * Runs what a launch file describes until its time is over or somebody stops it. Prints to standard
 * error alone. Sets the exit code after an emergency stop.
 * @throws UserError where robot, task or policy do not fit; Error when a worker failed
 */
export async function runLaunch(given: Launch, options: RunOptions): Promise<RunSummary> {
  const launch = withOptions(given, options);
  const robotFile = robotOf(launch);
  const { spec } = robotFile;
  const bundle = openPolicy(launch, spec, options.policy);
  if (options.engine && launch.learner.enabled) await checkEngine(options.engine);
  const started = new Date().toISOString().replace(/[:.]/g, '-');
  const folder = join(launch.runs, `run-${launch.task}-${spec.name}-${started}`);
  mkdirSync(folder, { recursive: true });

  const status = new StatusLine();
  const notice = (line: string) => status.note(line);
  const robot = await RobotProcess.start({
    spec,
    driver: driverFor(launch, robotFile),
    task: launch.task,
    parameters: launch.parameters,
    explore: launch.explore,
    gate: launch.gate,
    warmUp: launch.learner.enabled && !bundle ? launch.learner.warmup_actions : undefined,
    seed: launch.seed,
    fifo: launch.realtime.fifo,
    onNotice: notice,
  });
  const log = new SafetyLog(join(folder, 'safety.jsonl'), spec);
  robot.events.subscribe((event) => log.write(event));
  robot.resets.subscribe((report) => log.writeReset(report));
  const watch = new Watch(robot, { resets: launch.reset.enabled, notice });
  const ending = new Ending();
  robot.failures.subscribe((error) => ending.fail(error));
  const desk = new RecordingDesk({
    launch,
    robotFile,
    robot,
    folder,
    episodes: bundle ? 'control' : options.device || launch.dashboard.enabled ? 'operator' : 'whole',
    notice,
  });
  const letGo = operator({
    stop: () => ending.end('stopped'),
    emergencyStop: () => {
      robot.emergencyStop();
      ending.emergencyStop();
      ending.end('emergency stop');
    },
    onKey: (key) => {
      if (!desk.press(key)) cockpit?.press(key);
    },
  });
  const lostLearner = () => {
    const stop = launch.learner.when_lost === 'stop';
    robot.learnerLost(stop);
    if (stop) ending.end('learner lost');
  };
  let fleet: FleetLink | undefined;
  let cockpit: Cockpit | undefined;
  let detach: (() => Promise<void>) | undefined;
  let ros: RosNodes | undefined;
  let learner: LearnerChild | undefined;
  let resets: ResetKeeper | undefined;
  let ticker: NodeJS.Timeout | undefined;
  try {
    cockpit = await Cockpit.open(launch, robotFile, robot, () => desk.recording, notice);
    ros = await RosNodes.open(launch, robot, {
      parameterRules: options.rosArguments?.parameters ?? [],
      saveLearner: async () => {
        if (!fleet) throw new Error('the robot has no broker yet');
        return fleet.saveLearner();
      },
      recorder: desk,
      onNotice: notice,
    });
    if (bundle) {
      const answer = await robot.setPolicy(bundle);
      if (!answer.admitted) throw refusal(bundle, answer.reasons);
    }
    fleet = await FleetLink.open(launch, robot, {
      access: options.broker === undefined ? undefined : accessOf(options.broker, options),
      trusted: trustedKeys(launch, options, notice),
      // A robot of a fleet finds its spool again; one with a learner of its own starts both anew.
      folder: options.broker === undefined ? folder : robotFolder(launch, spec),
      initial: bundle,
      onNotice: notice,
      onLearnerSilent: (what) => {
        notice(what);
        lostLearner();
      },
      onFigures: (figures) => {
        cockpit?.showLearner(figures);
        ros?.showLearner(figures);
      },
      onWorldModel: (report) => cockpit?.showWorldModel(report),
    });
    if (launch.learner.enabled && fleet.url)
      learner = new LearnerChild(launch, {
        broker: fleet.url,
        run: join(folder, 'learner'),
        from: options.trainingRun,
        policy: bundle?.path,
        engine: options.engine,
        onLine: notice,
        keep: launch.learner.when_lost === 'keep',
        onLost: (what) => {
          notice(what);
          lostLearner();
        },
      });
    resets = new ResetKeeper(launch, robot, notice);
    if (options.recording) await desk.open(options.recording);
    await armed(robot);
    detach = await options.device?.(cockpit.station);
    // Without a policy there is nobody to take it from.
    if (detach && !bundle) await toggle(cockpit.station);
    await ros?.activate();
    const began_ms = Date.now();
    const elapsed_s = () => (Date.now() - began_ms) / 1e3;
    ticker = setInterval(() => status.update(watch.line(fleet!, elapsed_s(), options.seconds)), 1000);
    if (options.seconds) setTimeout(() => ending.end('time over'), 1e3 * options.seconds).unref();

    const how = await ending.happened;
    const spent_s = elapsed_s();
    resets.close();
    clearInterval(ticker);
    const summary = summarise(robot, watch, fleet, bundle?.manifest.name, spent_s);
    status.note(`${how}: ${ending.isEmergency ? 'braking' : 'to the stop pose'}`);
    await Promise.race([robot.requestStop(), ending.emergency]);
    if (ending.isEmergency) {
      process.exitCode = EMERGENCY_STOP;
      await robot.requestStop();
      await new Promise((resolve) => setTimeout(resolve, 1e3 * BRAKE_S));
    }
    return summary;
  } finally {
    clearInterval(ticker);
    resets?.close();
    await detach?.();
    status.end();
    // Torque off before anything else is taken down.
    await robot.close();
    const recorded = await desk.close();
    if (recorded) options.onRecorded?.(recorded);
    letGo();
    await ros?.close();
    await cockpit?.close();
    await learner?.close();
    await fleet?.close();
    log.close();
  }
}

/** What a robot keeps over its runs. */
function robotFolder(launch: Launch, spec: RobotSpec): string {
  return join(launch.runs, 'robots', launch.site, robotName(launch, spec.name), runName(launch));
}

/** The key that is given, else that of this user's own learners on this machine. */
function trustedKeys(
  launch: Launch,
  { broker, trust = process.env.REVERIE_TRUST }: RunOptions,
  notice: (line: string) => void,
): KeyObject[] {
  if (trust !== undefined) return [readTrustedKey(trust)];
  if (broker === undefined) {
    if (!launch.learner.enabled) return [];
    const signs = process.env.REVERIE_SIGNING_KEY ?? keysIn(ownKeys()).private;
    return [createPublicKey(readSigningKey(signs))];
  }
  const own = join(ownKeys(), 'signing.pub');
  if (existsSync(own)) return [readTrustedKey(own)];
  notice('no --trust: this robot loads no policy of a learner');
  return [];
}

/** Checks what can be checked before anything moves. The control loop checks again. */
function openPolicy(launch: Launch, spec: RobotSpec, given: string | false | undefined): Bundle | undefined {
  const { contract } = taskOf(launch, spec);
  const name = given ?? launch.policy;
  if (name === null || name === false) return undefined;
  const bundle = readBundle(name);
  const admission = admit(bundle.manifest, { spec, contract });
  if (!admission.admitted) throw refusal(bundle, admission.reasons);
  return bundle;
}

/** Asked before anything moves; the libraries of learning are loaded only where an engine is asked for by name. */
async function checkEngine(engine: EngineChoice): Promise<void> {
  if (engine === 'auto') return;
  const { requireEngine } = await import('../tensor/index.js');
  await requireEngine(engine);
}

function refusal(bundle: Bundle, reasons: readonly string[]): UserError {
  return new UserError(`${bundle.path} is refused:\n${reasons.map((r) => `  ${r}`).join('\n')}`);
}

/** A driver may need a moment before its first sample. */
async function armed(robot: RobotProcess): Promise<void> {
  if (!(await robot.arm()))
    throw new Error(
      `the robot did not arm: ${robot.status().latched ?? 'its driver gives no fresh samples'}`,
    );
}
