/**
 * Shows what a training run has learned so far: plays its newest checkpoint in simulation, in real
 * time, episode after episode, and tells its parent how the robot moves. It takes nothing from the
 * run but the files that it reads.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Random } from '../src/base/random.js';
import { type DreamerConfig, worldOf } from '../src/learn/dreamer/index.js';
import { actorLayout, type SacConfig } from '../src/learn/sac/index.js';
import { loadCheckpoint } from '../src/learn/trainer/checkpoint.js';
import { loadRobot } from '../src/robot/load.js';
import { createTask } from '../src/tasks/index.js';
import { observationSize, type Task } from '../src/tasks/task.js';
import { type Actor, type TrainedPolicy, trainedPolicy } from './actor.js';
import { Environment } from './environment.js';
import { loadMujoco } from './mujoco.js';
import { trainingRandomisation } from './randomise.js';

/** The first message to this process. */
export interface ShowStart {
  readonly robotPath: string;
  readonly task: string;
  readonly seed: number;
  /** Files of the run. */
  readonly identity: string;
  readonly checkpoint: string;
}

/** Whether somebody looks; where nobody does, nothing is simulated. */
export interface ShowWatched {
  readonly watched: boolean;
}

/** One moment: the state as `RobotState.withoutImage`, the base in the world, and the targets. */
export interface ShowFrame {
  readonly state: Float64Array;
  readonly position_m: Float64Array;
  readonly velocity_m_s: Float64Array;
  readonly target_rad: Float64Array;
}

const FRAME_HZ = 50;
const LOOK_MS = 200;
/** How long it stays to be seen how an episode ended. */
const PAUSE_MS = 700;

let watched = false;
process.on('message', (message: ShowStart | ShowWatched) => {
  if ('watched' in message) watched = message.watched;
  else
    show(message).catch((error: Error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    });
});
process.on('disconnect', () => process.exit());
// Ctrl-C in the terminal is for the training run; this process ends with its parent.
process.on('SIGINT', () => {});

async function show({ robotPath, task: name, seed, identity, checkpoint }: ShowStart): Promise<void> {
  const robot = loadRobot(robotPath);
  const task = createTask(name, robot.spec);
  const env = new Environment(await loadMujoco(), robot, task, trainingRandomisation);
  const action = new Float32Array(robot.spec.joints.length);
  const pace = new Pace();
  let policy: TrainedPolicy | undefined;
  let readAt_ms = Number.NEGATIVE_INFINITY;
  /** The policy of the newest checkpoint, where there is a newer one. */
  const renew = () => {
    if (!existsSync(identity) || !existsSync(checkpoint)) return;
    const { mtimeMs } = statSync(checkpoint);
    if (mtimeMs === readAt_ms) return;
    readAt_ms = mtimeMs;
    policy ??= trainedPolicy(actorOf(JSON.parse(readFileSync(identity, 'utf8')), task), robot.spec, task);
    policy.setParameters(loadCheckpoint(checkpoint).tensors['trainer.candidate']);
  };
  const frames: ShowFrame[] = [];
  const every = Math.max(1, Math.round(robot.spec.rates.control_hz / FRAME_HZ));
  let ticks = 0;
  env.onTick = () => {
    if (ticks++ % every !== 0) return;
    const { window, control } = env;
    frames.push({
      state: window.state.withoutImage.slice(),
      position_m: window.motion.position_m.slice(),
      velocity_m_s: window.motion.velocity_m_s.slice(),
      target_rad: control.kernel.executed_rad.slice(),
    });
  };
  for (let episode = 0; ; episode++) {
    while (!watched) await setTimeout(LOOK_MS);
    renew();
    env.reset(Random.stream(seed, 'show', episode).uint32());
    policy?.reset();
    frames.length = 0;
    for (let ending = 'none'; ending === 'none' && watched; ) {
      // Before there is a policy the robot stands.
      if (policy) policy.act(env.observation, action);
      ({ ending } = env.step(action));
      policy?.executed?.(env.executedAction);
      for (const frame of frames.splice(0)) {
        await pace.next();
        process.send?.(frame);
      }
    }
    await setTimeout(PAUSE_MS);
  }
}

/** What a run's `run.json` says of its learner. */
type Identity =
  | { readonly algorithm: 'sac'; readonly learner: SacConfig }
  | { readonly algorithm: 'dreamer'; readonly learner: DreamerConfig };

function actorOf({ algorithm, learner }: Identity, { contract }: Task): Actor {
  const [observations, actions] = [observationSize(contract), contract.action.scale_rad.length];
  return algorithm === 'sac'
    ? { kind: 'gaussian', ...actorLayout({ observations, actions, config: learner }) }
    : { kind: 'dreamer', world: worldOf(contract), config: learner };
}

/** Frames follow each other as they did in simulated time; what was late is not made up for. */
class Pace {
  private due_ms = performance.now();

  async next(): Promise<void> {
    this.due_ms = Math.max(this.due_ms + 1e3 / FRAME_HZ, performance.now());
    await setTimeout(this.due_ms - performance.now());
  }
}
