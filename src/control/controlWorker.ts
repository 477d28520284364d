import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Random } from '../base/random.js';
import { admit } from '../policy/admission.js';
import { loadPolicy } from '../policy/inference.js';
import type { Policy } from '../policy/policy.js';
import { fastestProducts } from '../policy/products.js';
import type { RobotSpec } from '../robot/spec.js';
import { authorities } from '../safety/authority.js';
import { causes } from '../safety/events.js';
import { kernelModes } from '../safety/kernel.js';
import { LEARNER_SILENCE_S, OVERRUN_PERIODS } from '../safety/watchdog.js';
import { createTask } from '../tasks/index.js';
import { observationSize, type TaskParameters } from '../tasks/task.js';
import { type WarmUpKind, warmUpActions } from '../tasks/warmUpActions.js';
import { now_s, RateKeeper } from './clock.js';
import { compileTicks } from './compileTicks.js';
import { ControlLoop } from './controlLoop.js';
import type { ControlMail, ControlReport } from './mail.js';
import { RobotClockSetter } from './robotClockSetter.js';
import { allocateBuffers, MotionReport, type RobotBuffers, SharedMemory, Word } from './sharedMemory.js';
import { threadId } from './threadId.js';
import { TraceAt, TraceRecord } from './traceRecord.js';
import { WarmUpPolicy } from './warmUpPolicy.js';
import type { GateOptions } from './worldModelGate.js';

/**
 * The control worker: a thread that does nothing but the control loop, at `control_hz`, to absolute
 * deadlines. It sleeps in `Atomics.wait`, so no event ever reaches it: requests come as counters in
 * shared memory, policies through a mailbox that it looks into when told to, and everything it has to
 * say leaves through rings. It imports no learner, no network and no streams.
 */
export interface ControlWorkerData {
  readonly buffers: RobotBuffers;
  readonly spec: RobotSpec;
  readonly task: string;
  readonly parameters?: TaskParameters;
  /** Factor on the policy's own spread; 0 for its mean action. */
  readonly explore: number;
  readonly gate?: GateOptions;
  /** How a robot that explores moves before its first policy; not at all when left out. */
  readonly warmUp?: WarmUpKind;
  readonly seed: number;
}

/** In the middle of a period, when the driver's sample of that period has arrived. */
const PHASE = 0.5;
/** The main thread counts as lost when its heartbeat stood still for longer. */
const MAIN_SILENCE_S = 1;
/** Ticks that a policy is on trial for. */
const TRIALS = 200;

const {
  buffers,
  spec,
  task: taskName,
  parameters,
  explore,
  gate,
  warmUp,
  seed,
} = workerData as ControlWorkerData;
const port = parentPort!;
const report = (message: ControlReport) => port.postMessage(message);
const task = createTask(taskName, spec, parameters);
const loop = new ControlLoop(spec, task, explore, seed, gate);
const { kernel } = loop.control;
/** Of its own until the loop is warm. */
let memory = new SharedMemory(allocateBuffers(spec, loop.layout.fields));

const traced = new TraceRecord(spec);
const motion = new MotionReport(spec.joints.length);

/** Requests done so far, in step with the words of the same names. */
const done = {
  emergencyStop: 0,
  stop: 0,
  arm: 0,
  reset: 0,
  mail: 0,
  authorityAsked: 0,
  learnerLost: 0,
  learnerLostStop: 0,
  replaced: 0,
};
let heartbeat = -1;
let heartbeatAt_s = 0;
let mainLost = false;
let drained = 0;

/** A policy on trial, one run a tick, so that the engine compiles it before it counts and no tick is late for it. */
let candidate: { readonly policy: Policy; readonly number: number; trials: number } | undefined;

function tick(now: number, elapsed: number): void {
  // Before the sample is read: where this has moved on, that is one of the new place.
  const replaced = memory.get(Word.replaced);
  if (replaced !== done.replaced) {
    done.replaced = replaced;
    kernel.replaced();
  }
  memory.samples.read(loop.state.flat);
  if (memory.truth.read(memory.truthSample))
    for (let k = 0; k < 3; k++) loop.truth_m[k] = memory.truthSample[k];
  memory.guest.read(loop.guest.flat);
  serveRequests(now);
  watchMain(now);
  if (candidate) tryPolicy(candidate);
  const command = loop.tick(now, elapsed);
  memory.commands.write(command.flat);
  if (loop.stepDone) memory.steps.push(loop.record);
  motion.position_m.set(loop.control.estimator.position_m);
  motion.velocity_m_s.set(loop.control.estimator.velocity_m_s);
  motion.place_m.set(kernel.place_m);
  motion.executed_rad.set(kernel.executed_rad);
  memory.motion.write(motion.flat);
  publish();
  if (memory.get(Word.tracing) !== 0) trace(now, command.flat);
}

/** Hands a recorder what this tick sensed and did. A recorder that lags loses ticks; this loop waits for nobody. */
function trace(now: number, command: Float64Array): void {
  const { flat, state, estimate } = traced;
  flat[TraceAt.time_s] = now;
  flat[TraceAt.mode] = memory.get(Word.mode);
  flat[TraceAt.authority] = memory.get(Word.authority);
  flat[TraceAt.latched] = memory.get(Word.latched);
  flat[TraceAt.safetyEvents] = loop.safetyEvents;
  state.set(loop.state.withoutImage);
  traced.command.set(command);
  estimate.set(motion.position_m);
  estimate.set(motion.velocity_m_s, 3);
  memory.trace.push(flat);
}

/** A reset is done before an emergency stop: whoever asks for both gets the stop. */
function serveRequests(now: number): void {
  const reset = memory.get(Word.reset);
  if (reset !== done.reset) {
    done.reset = reset;
    kernel.reset();
  }
  const arm = memory.get(Word.arm);
  if (arm !== done.arm) {
    done.arm = arm;
    loop.arm(now);
  }
  const authorityAsked = memory.get(Word.authorityAsked);
  if (authorityAsked !== done.authorityAsked) {
    done.authorityAsked = authorityAsked;
    const by = authorities[memory.get(Word.wantedAuthority)];
    if (by === 'person' || by === 'recovery') loop.takeOver(by, now);
    else loop.release(now);
  }
  const stop = memory.get(Word.stop);
  if (stop !== done.stop) {
    done.stop = stop;
    kernel.requestStop(now);
  }
  const learnerLost = memory.get(Word.learnerLost);
  if (learnerLost !== done.learnerLost) {
    done.learnerLost = learnerLost;
    kernel.events.report(now, 'learner_lost', -1, LEARNER_SILENCE_S, LEARNER_SILENCE_S);
  }
  const learnerLostStop = memory.get(Word.learnerLostStop);
  if (learnerLostStop !== done.learnerLostStop) {
    done.learnerLostStop = learnerLostStop;
    kernel.requestStop(now, 'learner_lost');
  }
  const emergencyStop = memory.get(Word.emergencyStop);
  if (emergencyStop !== done.emergencyStop) {
    done.emergencyStop = emergencyStop;
    kernel.emergencyStop(now);
    // An arm that was asked for earlier must not follow a later reset.
    done.arm = arm;
    done.authorityAsked = authorityAsked;
  }
  const mail = memory.get(Word.mail);
  if (mail !== done.mail) {
    done.mail = mail;
    for (let m = receiveMessageOnPort(port); m; m = receiveMessageOnPort(port)) takePolicy(m.message);
  }
}

function watchMain(now: number): void {
  const beat = memory.get(Word.heartbeat);
  if (beat !== heartbeat) {
    heartbeat = beat;
    heartbeatAt_s = now;
    mainLost = false;
  } else if (now - heartbeatAt_s > MAIN_SILENCE_S && !mainLost) {
    mainLost = true;
    memory.bump(Word.mainLost);
    kernel.requestStop(now, 'supervisor_lost');
  }
}

function refuse(number: number, reasons: readonly string[]): void {
  report({ kind: 'refused', number, reasons });
}

/** Takes a policy on trial, or refuses it; the one in use goes on in any case. */
function takePolicy({ number, manifest, onnx, path }: ControlMail): void {
  const admission = admit(manifest, { spec, contract: task.contract });
  if (!admission.admitted) {
    refuse(number, admission.reasons);
    return;
  }
  try {
    candidate = { policy: loadPolicy({ manifest, onnx, path }, fastestProducts()), number, trials: 0 };
  } catch (error) {
    refuse(number, [(error as Error).message]);
  }
}

function tryPolicy(trial: NonNullable<typeof candidate>): void {
  try {
    loop.rehearse(trial.policy);
  } catch (error) {
    candidate = undefined;
    refuse(trial.number, [(error as Error).message]);
    return;
  }
  if (++trial.trials < TRIALS) return;
  candidate = undefined;
  loop.setPolicy(trial.policy, trial.number);
  memory.set(Word.policy, trial.number);
  report({ kind: 'admitted', number: trial.number });
}

/** Writes down what the main thread may want to know. */
function publish(): void {
  memory.set(Word.mode, kernelModes.indexOf(kernel.mode));
  memory.set(Word.latched, kernel.latched ? 1 + causes.indexOf(kernel.latched) : 0);
  memory.set(Word.authority, authorities.indexOf(kernel.authority));
  memory.set(Word.awaitsRecovery, kernel.awaitsRecovery ? 1 : 0);
  memory.set(Word.authorityDone, done.authorityAsked);
  memory.set(Word.episodes, loop.episodes);
  memory.set(Word.falls, loop.falls);
  if (kernel.events.total === drained) return;
  drained = kernel.events.total;
  memory.set(Word.safetyEvents, loop.safetyEvents);
  while (kernel.events.take(memory.event)) memory.events.push(memory.event);
}

// Measures what runs policies fastest, once, while nothing waits.
fastestProducts();
compileTicks(loop, spec, memory, tick);
if (warmUp && explore > 0) {
  const actions = warmUpActions(warmUp, task, spec, Random.stream(seed, 'warmup'));
  loop.setPolicy(new WarmUpPolicy(observationSize(task.contract), spec.joints.length, actions), 0);
}
memory = new SharedMemory(buffers);
drained = kernel.events.total;
for (const request of Object.keys(done) as (keyof typeof done)[]) done[request] = 0;
report({ kind: 'ready', tid: threadId() });
Atomics.wait(memory.words, Word.go, 0);
const period_s = 1 / spec.rates.control_hz;
const rate = new RateKeeper(spec.rates.control_hz, PHASE);
const clock = new RobotClockSetter(buffers.clock, memory, period_s);
heartbeatAt_s = now_s();
while (memory.get(Word.quit) === 0) {
  const missedBefore = rate.missed;
  const late_s = rate.wait();
  const missed = rate.missed - missedBefore;
  const time_s = clock.next(now_s());
  if (Number.isNaN(time_s)) continue;
  memory.lateness.add(late_s);
  if (missed >= OVERRUN_PERIODS)
    kernel.events.report(time_s, 'loop_overrun', -1, late_s, OVERRUN_PERIODS * period_s);
  tick(time_s, 1 + missed);
  memory.set(Word.missed, rate.missed);
  memory.bump(Word.ticks);
}
report({ kind: 'closed' });
port.close();
