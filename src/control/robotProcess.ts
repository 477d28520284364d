import { type Observable, Subject } from 'rxjs';
import { UserError } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Bundle } from '../policy/bundle.js';
import type { RobotSpec } from '../robot/spec.js';
import { type Authority, authorities, type Guest } from '../safety/authority.js';
import { type Cause, readEvent, type SafetyEvent } from '../safety/events.js';
import type { KernelMode } from '../safety/kernel.js';
import { streamOf } from '../streams/ring.js';
import { createTask } from '../tasks/index.js';
import type { TaskParameters } from '../tasks/task.js';
import { type WarmUpKind, warmUpActions } from '../tasks/warmUpActions.js';
import type { ControlWorkerData } from './controlWorker.js';
import type { DriverReport, DriverWorkerData } from './driverWorker.js';
import { GuestWish } from './guestWish.js';
import type { DriverChoice } from './hostedDriver.js';
import type { ControlMail, ControlReport } from './mail.js';
import { Observer } from './observer.js';
import { makeRealtime } from './realtime.js';
import { type ResetReport, resetInWords } from './resetReport.js';
import { RobotTime } from './robotTime.js';
import { allocateBuffers, type RobotBuffers, SharedMemory, Word } from './sharedMemory.js';
import { type Step, StepLayout } from './stepRecord.js';
import { WorkerHandle } from './workerHandle.js';
import type { GateOptions } from './worldModelGate.js';

export interface RobotProcessOptions {
  readonly spec: RobotSpec;
  readonly driver: DriverChoice;
  /** Name of the task. */
  readonly task: string;
  /** What is set for it. */
  readonly parameters?: TaskParameters;
  /** Factor on the policy's own spread; 0 for its mean action. */
  readonly explore: number;
  /** What happens where a policy's own model of the world is surprised; nothing when left out. */
  readonly gate?: GateOptions;
  /** How a robot that explores moves before its first policy; not at all when left out. */
  readonly warmUp?: WarmUpKind;
  readonly seed: number;
  /** Ask for the system's real-time scheduler. */
  readonly fifo: boolean;
  /** One line for people, about something that they may want to change. */
  readonly onNotice?: (line: string) => void;
}

export interface RobotStatus {
  readonly mode: KernelMode;
  /** Who commands now. */
  readonly authority: Authority;
  /** The cause that latched, until `reset`. */
  readonly latched: Cause | undefined;
  readonly ticks: number;
  readonly missed_ticks: number;
  readonly late_p50_ms: number;
  readonly late_p99_ms: number;
  readonly late_p999_ms: number;
  readonly late_max_ms: number;
  readonly safety_events: number;
  readonly episodes: number;
  readonly falls: number;
  /** Number of the policy in use, as `setPolicy` gave it; 0 for none. */
  readonly policy: number;
  /** What its manifest calls it. */
  readonly policy_name: string | null;
  /** Steps and events that were lost because the main thread lagged. */
  readonly steps_lost: number;
  readonly events_lost: number;
  /** Times that the drives' own watchdog braked. */
  readonly drive_watchdog: number;
  /** Times that the loop stopped the robot because this thread fell silent. */
  readonly main_lost: number;
  /** It stopped for what a recovery may end: a fall, or the fence. */
  readonly awaits_recovery: boolean;
  /** What it waits for a person with, in a line; null where it does not. */
  readonly asks_person: string | null;
}

export type PolicyAnswer =
  | { readonly admitted: true; readonly number: number }
  | { readonly admitted: false; readonly reasons: readonly string[] };

const HEARTBEAT_MS = 100;
const STEPS_POLL_MS = 20;
const EVENTS_POLL_MS = 50;
/** Priorities under the real-time scheduler: the loop before the driver. */
const CONTROL_PRIORITY = 50;
const DRIVER_PRIORITY = 49;

/**
 * A robot as the main thread has it: starts the driver worker and the control worker, and talks with
 * them through shared memory. Nothing that happens in the main thread can hold up the control loop;
 * when the main thread falls silent, the loop brings the robot to its stop pose, and when the whole
 * process is killed, the drives' own watchdog is what brakes the robot.
 */
export class RobotProcess {
  /** Every policy step. */
  readonly steps: Observable<Step>;
  readonly events: Observable<SafetyEvent>;
  /** Errors after the start: the worker that had it is gone, and the robot brakes. */
  readonly failures: Observable<Error>;
  /** What a supervisor of resets does, and when it asks a person. */
  readonly resets: Observable<ResetReport>;
  readonly canReplace: boolean;
  readonly time: RobotTime;
  private readonly resetReports = new Subject<ResetReport>();
  private asksPerson: string | null = null;
  private readonly closed = new Subject<void>();
  /** Names of the policies that were handed over; the first under number 1. */
  private readonly policyNames: string[] = [];
  private readonly wish: GuestWish;

  private constructor(
    readonly options: RobotProcessOptions,
    private readonly buffers: RobotBuffers,
    private readonly memory: SharedMemory,
    private readonly driver: WorkerHandle<DriverReport>,
    private readonly control: WorkerHandle<ControlReport>,
    failures: Subject<Error>,
    private readonly heartbeat: NodeJS.Timeout,
    layout: StepLayout,
    { canReplace, simulated }: { readonly canReplace: boolean; readonly simulated: boolean },
  ) {
    this.failures = failures;
    this.resets = this.resetReports;
    this.canReplace = canReplace;
    const { name, rates } = options.spec;
    this.time = new RobotTime(buffers, name, rates.control_hz, simulated);
    this.wish = new GuestWish(options.spec.joints.length);
    this.steps = streamOf(memory.steps, STEPS_POLL_MS, (record) => layout.read(record), this.closed);
    this.events = streamOf(memory.events, EVENTS_POLL_MS, readEvent, this.closed);
  }

  /** Brings both workers up; the robot is idle afterwards. @throws UserError where the driver cannot find its robot */
  static async start(options: RobotProcessOptions): Promise<RobotProcess> {
    const { spec, driver: choice, task, parameters, explore, gate, warmUp, seed } = options;
    const given = createTask(task, spec);
    // What is refused is refused here, and not by the worker.
    if (warmUp) warmUpActions(warmUp, given, spec, new Random(seed));
    const layout = new StepLayout(spec, given.contract);
    const buffers = allocateBuffers(spec, layout.fields);
    const memory = new SharedMemory(buffers);
    const failures = new Subject<Error>();
    const controlData: ControlWorkerData = { buffers, spec, task, parameters, explore, gate, warmUp, seed };
    const driverData: DriverWorkerData = { buffers, spec, driver: choice };
    const heartbeat = setInterval(() => memory.bump(Word.heartbeat), HEARTBEAT_MS);
    const control = new WorkerHandle<ControlReport>('./controlWorker.js', controlData, failures);
    const driver = new WorkerHandle<DriverReport>('./driverWorker.js', driverData, failures);
    try {
      const [driverReady, controlReady] = await Promise.all([
        driver.next((m) => m.kind === 'ready'),
        control.next((m) => m.kind === 'ready'),
      ]);
      if (driverReady.kind !== 'ready' || controlReady.kind !== 'ready') throw new Error('unreachable');
      if (options.fifo) {
        const refusal =
          (await makeRealtime(controlReady.tid, CONTROL_PRIORITY)) ??
          (await makeRealtime(driverReady.tid, DRIVER_PRIORITY));
        if (refusal) options.onNotice?.(`no real-time scheduling: ${refusal}`);
      }
      memory.set(Word.go, 1);
      Atomics.notify(memory.words, Word.go);
      return new RobotProcess(
        options,
        buffers,
        memory,
        driver,
        control,
        failures,
        heartbeat,
        layout,
        driverReady,
      );
    } catch (error) {
      end(memory);
      await Promise.all([driver.ended, control.ended]);
      clearInterval(heartbeat);
      throw error;
    }
  }

  /**
   * Torque on: an idle robot takes up where it is and rises to its home pose. Tries for a second, since
   * a driver may need a moment until its first sample.
   * @returns false where it may not: not idle, latched, or no fresh samples
   */
  async arm(): Promise<boolean> {
    for (let attempt = 0; attempt < 20; attempt++) {
      if (this.memory.mode !== 'idle') return false;
      this.memory.bump(Word.arm);
      if (await this.until(() => this.memory.mode !== 'idle', 0.05)) return this.memory.latched === undefined;
    }
    return false;
  }

  /** Hands a policy to the control loop, which goes on with the old one where it does not admit the new. */
  async setPolicy(bundle: Pick<Bundle, 'manifest' | 'onnx' | 'path'>): Promise<PolicyAnswer> {
    const { manifest, onnx, path } = bundle;
    const number = this.policyNames.push(manifest.name);
    const mail: ControlMail = { kind: 'policy', number, manifest, onnx, path };
    const answer = this.control.next((m) => 'number' in m && m.number === number);
    this.control.worker.postMessage(mail);
    this.memory.bump(Word.mail);
    const report = await answer;
    return report.kind === 'refused'
      ? { admitted: false, reasons: report.reasons }
      : { admitted: true, number };
  }

  /**
   * A guest takes the robot over. It finds the targets where they are and leads them on with
   * `personTarget` or `recoveryTarget`; a policy is asked on, but not followed. An episode that a person
   * takes over goes on, its steps marked as theirs; one that a recovery takes over is truncated.
   * @returns false where it may not: the robot is stopped, or a person commands
   */
  async takeOver(by: Guest): Promise<boolean> {
    await this.askForAuthority(by);
    // A recovery waits for the end of a policy's step.
    return this.until(() => this.memory.authority === by, 2 / this.options.spec.rates.policy_hz);
  }

  /** The guest gives the robot back: to the policy in an episode, else to rise and begin one. */
  async release(): Promise<void> {
    await this.askForAuthority('policy');
  }

  /**
   * Where a person wants the joints to be, at 10 Hz or more: each call also says that their hand is on
   * the switch. The robot holds once that is `person.deadman_s` ago. Of no effect unless they took over.
   * @param q_rad in `robot.yaml` order
   * @throws RangeError where that is not a number for each joint
   */
  personTarget(q_rad: ArrayLike<number>): void {
    this.guestTarget('person', q_rad);
  }

  /** The same for a recovery, within `watchdog.command_age_s`. */
  recoveryTarget(q_rad: ArrayLike<number>): void {
    this.guestTarget('recovery', q_rad);
  }

  /** Latches; returns at once and acts within a tick. */
  emergencyStop(): void {
    this.time.resume();
    this.memory.bump(Word.emergencyStop);
  }

  /** A stop that knows gravity. @returns once the robot has stopped, one way or another */
  async requestStop(): Promise<void> {
    this.time.resume();
    this.memory.bump(Word.stop);
    const { stop } = this.options.spec;
    const moving = (mode: KernelMode) => mode === 'run' || mode === 'hold' || mode === 'stopping';
    await this.until(() => !moving(this.memory.mode), stop.seconds + 1);
  }

  /** The operator's word that whatever latched is over. Once at rest the robot has no torque, until `arm`. */
  async reset(): Promise<void> {
    this.memory.bump(Word.reset);
    const { seconds, stand_s = 0 } = this.options.spec.stop;
    await this.until(() => this.memory.mode === 'idle', seconds + stand_s + 1);
  }

  /** Puts the robot back on its feet where the driver can: in simulation. */
  async replace(): Promise<void> {
    if (!this.canReplace)
      throw new UserError(`${this.options.spec.name}: nobody here can put the robot on its feet`);
    this.memory.bump(Word.replace);
    await this.until(() => this.memory.get(Word.replaced) === this.memory.get(Word.replace), 1);
  }

  /** A supervisor's word, for everybody who watches this robot. */
  noteReset(report: ResetReport): void {
    this.asksPerson = report.outcome === 'person_asked' ? resetInWords(report) : null;
    this.resetReports.next(report);
  }

  /** The learner fell silent: an event, and a stop that knows gravity where the robot is not to go on without. */
  learnerLost(stop: boolean): void {
    this.memory.bump(stop ? Word.learnerLostStop : Word.learnerLost);
  }

  /**
   * Every control tick from now on goes into the ring `trace` of the shared memory, for one recorder in
   * a thread of its own to empty.
   */
  startTrace(): RobotBuffers {
    this.memory.set(Word.tracing, 1);
    return this.buffers;
  }

  /** Shared memory, for an `Observer` in a thread of its own. */
  get shared(): RobotBuffers {
    return this.buffers;
  }

  stopTrace(): void {
    this.memory.set(Word.tracing, 0);
  }

  /** For whoever shows or publishes the newest sample at a pace of their own. */
  observe(): Observer {
    return new Observer(this.options.spec, this.buffers);
  }

  status(): RobotStatus {
    const { memory } = this;
    const { p50_s, p99_s, p999_s, max_s } = memory.lateness.summary();
    return {
      mode: memory.mode,
      authority: memory.authority,
      latched: memory.latched,
      ticks: memory.get(Word.ticks),
      missed_ticks: memory.get(Word.missed),
      late_p50_ms: 1e3 * p50_s,
      late_p99_ms: 1e3 * p99_s,
      late_p999_ms: 1e3 * p999_s,
      late_max_ms: 1e3 * max_s,
      safety_events: memory.get(Word.safetyEvents),
      episodes: memory.get(Word.episodes),
      falls: memory.get(Word.falls),
      policy: memory.get(Word.policy),
      policy_name: this.policyNames[memory.get(Word.policy) - 1] ?? null,
      steps_lost: memory.steps.refused,
      events_lost: memory.events.refused,
      drive_watchdog: memory.get(Word.driveWatchdog),
      main_lost: memory.get(Word.mainLost),
      awaits_recovery: memory.get(Word.awaitsRecovery) !== 0,
      asks_person: this.asksPerson,
    };
  }

  /** Ends both workers: the driver switches torque off as it knows how to. Stop the robot first. */
  async close(): Promise<void> {
    end(this.memory);
    await Promise.all([this.driver.ended, this.control.ended]);
    clearInterval(this.heartbeat);
    this.closed.next();
  }

  private async askForAuthority(authority: Authority): Promise<void> {
    this.memory.set(Word.wantedAuthority, authorities.indexOf(authority));
    this.memory.bump(Word.authorityAsked);
    const asked = this.memory.get(Word.authorityAsked);
    await this.until(() => this.memory.get(Word.authorityDone) === asked, 1);
  }

  private guestTarget(by: Guest, q_rad: ArrayLike<number>): void {
    const joints = this.options.spec.joints.length;
    if (q_rad.length !== joints) throw new RangeError(`${q_rad.length} targets for ${joints} joints`);
    this.wish.set(by, q_rad, this.time.now_s());
    this.memory.guest.write(this.wish.flat);
  }

  private async until(holds: () => boolean, timeout_s: number): Promise<boolean> {
    for (const end = Date.now() + 1e3 * timeout_s; Date.now() < end; ) {
      if (holds()) return true;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return holds();
  }
}

/** Ends both workers, the one that still waits to begin included. */
function end(memory: SharedMemory): void {
  memory.set(Word.quit, 1);
  memory.set(Word.go, 1);
  Atomics.notify(memory.words, Word.go);
}
