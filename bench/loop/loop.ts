import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/base/files.js';
import { RobotProcess } from '../../src/control/robotProcess.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadRobot } from '../../src/robot/load.js';

/** How late the ticks of a loop came, as the last line of `reverie bench loop --json` has it. */
export interface LoopLateness {
  readonly rate_hz: number;
  /** `SCHED_FIFO` where the system permits it, else `SCHED_OTHER`; `setInterval` for the plain loop. */
  readonly scheduler: string;
  readonly late_p50_ms: number;
  readonly late_p99_ms: number;
  readonly late_p999_ms: number;
  readonly late_max_ms: number;
  readonly missed_ticks: number;
}

export interface LoopOptions {
  readonly seconds: number;
  /** SAC learns to walk beside it, as fast as it can. */
  readonly whileTraining: boolean;
  readonly onNote: (line: string) => void;
}

/** What both loops run. */
export const ROBOT = 'quadruped';
export const TASK = 'walk';
export const POLICY = 'quadruped-walk';
/** Until a training run has compiled its step and steps at full speed, s. */
const TRAINS_AFTER_S = 15;

/**
 * The robot process's control loop, with a walking policy on the simulated quadruped, and beside it at the
 * same time the same loop in a process of its own as people write it first: in `setInterval`.
 */
export async function benchLoop({
  seconds,
  whileTraining,
  onNote,
}: LoopOptions): Promise<{ readonly loop: LoopLateness; readonly plain: LoopLateness }> {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-loop-'));
  const training = whileTraining ? train(folder) : undefined;
  try {
    if (training) {
      onNote(`training beside it; measuring begins in ${TRAINS_AFTER_S} s`);
      const ended = once(training, 'exit').then(() => {
        throw new Error('the training run ended');
      });
      await Promise.race([sleep(TRAINS_AFTER_S), ended]);
      ended.catch(() => {});
    }
    const [loop, plain] = await Promise.all([measureRobot(seconds, onNote), measurePlain(seconds)]);
    return { loop, plain };
  } finally {
    await kill(training);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureRobot(seconds: number, onNotice: (line: string) => void): Promise<LoopLateness> {
  const { spec } = loadRobot(ROBOT);
  let scheduler = 'SCHED_FIFO';
  const robot = await RobotProcess.start({
    spec,
    driver: {
      module: new URL('../../sim/realtimeDriver.js', import.meta.url).href,
      options: { robot: ROBOT, seed: 1, randomisation: 'evaluation' },
    },
    task: TASK,
    explore: 0,
    seed: 1,
    fifo: true,
    onNotice: (line) => {
      scheduler = 'SCHED_OTHER';
      onNotice(line);
    },
  });
  try {
    await robot.setPolicy(readBundle(POLICY));
    await robot.arm();
    await sleep(seconds);
    const { late_p50_ms, late_p99_ms, late_p999_ms, late_max_ms, missed_ticks } = robot.status();
    const late = { late_p50_ms, late_p99_ms, late_p999_ms, late_max_ms };
    await robot.requestStop();
    return { rate_hz: spec.rates.control_hz, scheduler, ...rounded(late), missed_ticks };
  } finally {
    await robot.close();
  }
}

async function measurePlain(seconds: number): Promise<LoopLateness> {
  const child = fork(fileURLToPath(new URL('./plainLoop.js', import.meta.url)), [String(seconds)]);
  const ended = once(child, 'exit');
  const [late] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('the plain loop ended early'))),
  ])) as [LoopLateness];
  await ended;
  return late;
}

/** To three digits of a microsecond: more is not measured. */
export function rounded<T extends Readonly<Record<string, number>>>(values: T): T {
  return Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Number(v.toFixed(4))])) as T;
}

function train(folder: string): ChildProcess {
  const command = [join(packageRoot, 'bin/reverie.js'), 'train', TASK, '--robot', ROBOT];
  const endless = ['--steps', '1000000000', '--out', join(folder, 'run')];
  return spawn(process.execPath, [...command, ...endless], { stdio: 'ignore' });
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, 1e3 * seconds));
