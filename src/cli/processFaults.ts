import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerProcess } from '../../bench/fleet/broker.js';
import { verifySafetyLog } from '../control/safetyLog.js';
import { isAlive, RunningProcess } from './runningProcess.js';

/** Processes around a robot that a campaign kills. */
export const processKinds = [
  'learner_killed',
  'broker_killed',
  'dashboard_killed',
  'simulator_killed',
] as const;
export type ProcessKind = (typeof processKinds)[number];

export interface ProcessFault {
  readonly kind: ProcessKind;
  /** What did not hold. */
  readonly violations: readonly string[];
}

/** A run says once a second how it is; a slow machine has the patience of these, s. */
const STARTS_S = 120;
const GOES_ON_S = 30;
const ENDS_S = 60;
/** Status lines of a robot at its task that show that it goes on. */
const LINES = 4;

/**
 * Kills a process around a real run of a robot by SIGKILL, and looks from outside whether the robot goes on,
 * or, where its drives went silent, brakes; and whether it then ends as it was told to, with its log whole and
 * no process left.
 */
export async function killProcess(kind: ProcessKind): Promise<ProcessFault> {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-kills-'));
  const violations: string[] = [];
  const scene = kind === 'simulator_killed' ? armOnEmulator(folder) : await quadrupedInFleet(folder);
  try {
    await scene.ready();
    const children = scene.robot.childrenWith('');
    await scene.kill(kind);
    const fault = await scene.holds(kind);
    if (fault) violations.push(fault);
    violations.push(...(await endWell(scene.robot, folder, children)));
  } catch (error) {
    violations.push((error as Error).message);
  } finally {
    await scene.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { kind, violations };
}

interface Scene {
  readonly robot: RunningProcess;
  ready(): Promise<void>;
  kill(kind: ProcessKind): Promise<void>;
  /** @returns what does not hold after it */
  holds(kind: ProcessKind): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Simulation, learner, broker and dashboard, each a process of its own. */
async function quadrupedInFleet(folder: string): Promise<Scene> {
  const launch = join(folder, 'quadruped.yaml');
  writeFileSync(
    launch,
    `robot: quadruped\ndriver: { kind: sim }\ntask: walk\nruns: ${folder}/runs\nlearner: { warmup: 100, overrides: { batch: 8, critic_hidden: [8], actor_hidden: [8] } }\n`,
  );
  const broker = await brokerProcess(folder);
  broker.child.start();
  await broker.listening();
  // Keys of its own: those of whoever runs this are left alone.
  const config = join(folder, 'config');
  mkdirSync(config);
  const env = { XDG_CONFIG_HOME: config };
  const learnerArgs = ['learn', launch, '--broker', broker.url, '--run', join(folder, 'learner')];
  const learner = new RunningProcess(learnerArgs, env);
  const robot = new RunningProcess(
    ['run', launch, '--policy', 'quadruped-walk', '--broker', broker.url, '--dashboard-port', '0', '--json'],
    env,
  );
  const working = (line: string) => /^walk run/.test(line);
  return {
    robot,
    ready: () => atWork(robot, working),
    kill: async (kind) => {
      if (kind === 'broker_killed') await broker.child.kill();
      else if (kind === 'learner_killed') learner.kill('SIGKILL');
      else {
        const [dashboard] = robot.childrenWith('dashboardProcess');
        if (dashboard === undefined) throw new Error('no dashboard to kill');
        process.kill(dashboard, 'SIGKILL');
      }
    },
    holds: async (kind) => {
      const before = robot.err.length;
      const lines = () => robot.err.slice(before).filter(working).length;
      await waitFor(`it goes on after ${kind}`, () => lines() >= LINES || !robot.alive, GOES_ON_S);
      return robot.alive ? undefined : 'the robot process ended';
    },
    close: async () => {
      robot.kill('SIGKILL');
      learner.kill('SIGKILL');
      await Promise.all([robot.ended, learner.ended, broker.child.kill()]);
    },
  };
}

/** An arm on its servo bus, whose servos and physics are a process of their own. */
function armOnEmulator(folder: string): Scene {
  const link = join(folder, 'arm');
  const launch = join(folder, 'arm.yaml');
  writeFileSync(
    launch,
    `robot: arm\ndriver: { kind: serial, ports: { servos: ${link}-servos } }\ntask: reach\npolicy: arm-reach\nruns: ${folder}/runs\ndashboard: { enabled: false }\n`,
  );
  const emulator = new RunningProcess(['emulate', 'arm', '--link', link, '--json']);
  let robot: RunningProcess | undefined;
  return {
    get robot() {
      return robot!;
    },
    ready: async () => {
      await waitFor('the emulated bus', () => emulator.out.length > 0, STARTS_S);
      robot = new RunningProcess(['run', launch, '--json']);
      await atWork(robot, (line) => /^reach run/.test(line));
    },
    kill: async () => emulator.kill('SIGKILL'),
    holds: async () => {
      const before = robot!.err.length;
      const told = () => robot!.err.slice(before).some((line) => !/^reach (run|hold)/.test(line));
      await waitFor('it says that its drives are silent', () => told() || !robot!.alive, GOES_ON_S);
      return undefined;
    },
    close: async () => {
      robot?.kill('SIGKILL');
      emulator.kill('SIGKILL');
      await Promise.all([robot?.ended, emulator.ended]);
    },
  };
}

/** @throws Error with what it said last, where it ended before */
async function atWork(robot: RunningProcess, working: (line: string) => boolean): Promise<void> {
  await waitFor('the robot at work', () => robot.err.some(working) || !robot.alive, STARTS_S);
  if (!robot.alive) throw new Error(`the run did not begin: ${robot.err.at(-1)}`);
}

async function endWell(
  robot: RunningProcess,
  folder: string,
  children: readonly number[],
): Promise<string[]> {
  const violations: string[] = [];
  robot.kill('SIGTERM');
  await waitFor('the run ends when told to', () => !robot.alive, ENDS_S);
  const { signal } = await robot.ended;
  if (signal) violations.push(`the run ended by ${signal}`);
  await waitFor('every process is gone', () => !children.some(isAlive), ENDS_S);
  const runs = join(folder, 'runs');
  for (const run of readdirSync(runs).filter((name) => name.startsWith('run-')))
    verifySafetyLog(join(runs, run, 'safety.jsonl'));
  return violations;
}

/** @throws Error where it does not come true within the time */
async function waitFor(what: string, holds: () => boolean, limit_s: number): Promise<void> {
  for (const end = Date.now() + 1e3 * limit_s; !holds(); ) {
    if (Date.now() > end) throw new Error(`not within ${limit_s} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
