import { SampleChannel } from '../robot/channel.js';
import type { RobotSpec } from '../robot/spec.js';
import { JointCommand, RobotState } from '../robot/state.js';
import { type Authority, authorities } from '../safety/authority.js';
import type { Cause } from '../safety/events.js';
import { causes, eventFields } from '../safety/events.js';
import type { KernelMode } from '../safety/kernel.js';
import { kernelModes } from '../safety/kernel.js';
import { GuestWish } from './guestWish.js';
import { LatenessHistogram } from './lateness.js';
import { RecordRing } from './ring.js';
import { RobotClock } from './robotClock.js';
import { TraceRecord } from './traceRecord.js';

/**
 * The 32-bit words that the threads of a robot process share, each with one writer. Requests are
 * counters: the one who asks adds 1, the one who does it remembers how many it has done, so that no
 * request is lost or done twice.
 */
export const Word = {
  /** Main: not 0 once the workers are to end. */
  quit: 0,
  /** Main: moves on while the main thread lives. */
  heartbeat: 1,
  /** Main: requests. */
  emergencyStop: 2,
  stop: 3,
  arm: 4,
  reset: 5,
  replace: 6,
  /** Main: messages posted to the control worker, which looks into its mailbox only when this moved. */
  mail: 7,
  /** Control worker: ticks done (wraps after 49 days at 500 Hz), ticks skipped. */
  ticks: 8,
  missed: 9,
  /** Control worker: index in `kernelModes`; 1 + index in `causes` of what latched, or 0. */
  mode: 10,
  latched: 11,
  /** Control worker: safety events since it started, episodes begun, falls. */
  safetyEvents: 12,
  episodes: 13,
  falls: 14,
  /** Control worker: number of the policy in use, or 0. */
  policy: 15,
  /** Control worker: times that it stopped the robot because the main thread fell silent. */
  mainLost: 16,
  /** Driver worker: replacements done, periods of the driver, times that its own watchdog braked. */
  replaced: 17,
  cycles: 18,
  driveWatchdog: 19,
  /** Main: 1 once the control worker, warmed up and scheduled, may begin. */
  go: 20,
  /** Main: index in `authorities` of who is to command, and how often that was asked for. */
  wantedAuthority: 21,
  authorityAsked: 22,
  /** Control worker: requests for an authority done; index in `authorities` of who commands. */
  authorityDone: 23,
  authority: 24,
  /** Main: not 0 while somebody empties `trace`. */
  tracing: 25,
  /** Control worker: not 0 where it stopped for what a recovery may end. */
  awaitsRecovery: 26,
  /** Main: the learner fell silent: how often, and how often the robot is to stop for it. */
  learnerLost: 27,
  learnerLostStop: 28,
  /** Main: not 0 while a simulated world is to stand still; ticks that are to pass all the same, counted. */
  pause: 29,
  stepsAsked: 30,
  /** Control worker: those that did; 1 while it stands still. */
  stepsDone: 31,
  stands: 32,
} as const;
const WORDS = 40;

/** Policy steps that may wait for the main thread: 50 s at 20 Hz. */
const STEPS_CAPACITY = 1024;
const EVENTS_CAPACITY = 1024;
/** Control ticks that may wait for a recorder: 8 s at 500 Hz. */
const TRACE_CAPACITY = 4096;
/** Position and velocity of the base, as a simulator knows them. */
const MOTION_FIELDS = 6;

/** What the control worker says of the robot's motion: a flat record with named views. */
export class MotionReport {
  readonly flat: Float64Array;
  /** Estimated position since the start of the episode, and velocity; world frame. */
  readonly position_m: Float64Array;
  readonly velocity_m_s: Float64Array;
  /** Where it is from where it was started, as the fence counts: a simulator's truth, else the estimate. */
  readonly place_m: Float64Array;
  /** Targets before the torque limit. */
  readonly executed_rad: Float64Array;

  constructor(joints: number) {
    this.flat = new Float64Array(MotionReport.length(joints));
    this.position_m = this.flat.subarray(0, 3);
    this.velocity_m_s = this.flat.subarray(3, 6);
    this.place_m = this.flat.subarray(6, 8);
    this.executed_rad = this.flat.subarray(8);
  }

  static length(joints: number): number {
    return 8 + joints;
  }
}

/** Plain shared buffers, as they travel to a worker. */
export interface RobotBuffers {
  readonly words: SharedArrayBuffer;
  readonly samples: SharedArrayBuffer;
  readonly commands: SharedArrayBuffer;
  readonly guest: SharedArrayBuffer;
  readonly truth: SharedArrayBuffer;
  readonly motion: SharedArrayBuffer;
  readonly steps: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly trace: SharedArrayBuffer;
  readonly traceFields: number;
  readonly lateness: SharedArrayBuffer;
  readonly clock: SharedArrayBuffer;
  readonly stepFields: number;
  readonly eventFields: number;
}

export function allocateBuffers(spec: RobotSpec, stepFields: number): RobotBuffers {
  const joints = spec.joints.length;
  return {
    words: new SharedArrayBuffer(4 * WORDS),
    samples: SampleChannel.allocate(RobotState.lengthFor(spec)),
    commands: SampleChannel.allocate(JointCommand.length(joints)),
    guest: SampleChannel.allocate(GuestWish.length(joints)),
    truth: SampleChannel.allocate(MOTION_FIELDS),
    motion: SampleChannel.allocate(MotionReport.length(joints)),
    steps: RecordRing.allocate(stepFields, STEPS_CAPACITY),
    events: RecordRing.allocate(eventFields(joints), EVENTS_CAPACITY),
    trace: RecordRing.allocate(TraceRecord.length(spec), TRACE_CAPACITY),
    traceFields: TraceRecord.length(spec),
    lateness: LatenessHistogram.allocate(),
    clock: RobotClock.allocate(),
    stepFields,
    eventFields: eventFields(joints),
  };
}

/** One thread's view of the shared memory of a robot process. */
export class SharedMemory {
  readonly words: Int32Array;
  /** Driver worker to control worker. */
  readonly samples: SampleChannel;
  /** Control worker to driver worker. */
  readonly commands: SampleChannel;
  /** Main thread to control worker: a `GuestWish`. */
  readonly guest: SampleChannel;
  /** Driver worker to control worker: [position, velocity]. Never written by a real robot's driver. */
  readonly truth: SampleChannel;
  /** Control worker to whoever looks: a `MotionReport`. */
  readonly motion: SampleChannel;
  /** Control worker to main thread. */
  readonly steps: RecordRing;
  readonly events: RecordRing;
  /** Control worker to a recorder: every tick as a `TraceRecord`, while `Word.tracing` is set. */
  readonly trace: RecordRing;
  readonly lateness: LatenessHistogram;
  readonly truthSample = new Float64Array(MOTION_FIELDS);
  readonly event: Float64Array;

  constructor(buffers: RobotBuffers) {
    this.words = new Int32Array(buffers.words);
    this.samples = new SampleChannel(buffers.samples);
    this.commands = new SampleChannel(buffers.commands);
    this.guest = new SampleChannel(buffers.guest);
    this.truth = new SampleChannel(buffers.truth);
    this.motion = new SampleChannel(buffers.motion);
    this.steps = new RecordRing(buffers.steps, buffers.stepFields);
    this.events = new RecordRing(buffers.events, buffers.eventFields);
    this.event = new Float64Array(buffers.eventFields);
    this.trace = new RecordRing(buffers.trace, buffers.traceFields);
    this.lateness = new LatenessHistogram(buffers.lateness);
  }

  get(word: number): number {
    return Atomics.load(this.words, word);
  }

  set(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /** Makes a request, or counts. */
  bump(word: number): void {
    this.add(word, 1);
  }

  add(word: number, count: number): void {
    Atomics.add(this.words, word, count);
  }

  get mode(): KernelMode {
    return kernelModes[this.get(Word.mode)];
  }

  get authority(): Authority {
    return authorities[this.get(Word.authority)];
  }

  get latched(): Cause | undefined {
    return causes[this.get(Word.latched) - 1];
  }
}
