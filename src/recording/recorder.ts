import { Worker } from 'node:worker_threads';
import type { Subscription } from 'rxjs';
import { UserError } from '../base/errors.js';
import { packageInfo } from '../base/packageInfo.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import { StampClock } from '../ros/time.js';
import { authorities } from '../safety/authority.js';
import { createTask } from '../tasks/index.js';
import type { RecorderMail, RecorderReport, RecorderWorkerData } from './recorderWorker.js';
import { METADATA } from './topics.js';

export type Outcome = 'success' | 'failure' | 'discard' | '';

export interface RecorderOptions {
  readonly path: string;
  /** What is to be done, in words. */
  readonly task: string;
  readonly operator: string;
  /**
   * `control`: an episode for each of the control loop's. `operator`: the first begins at once and ends
   * when it is labelled, the next when the operator says so: for what a person shows. `whole`: all of it
   * is one.
   */
  readonly episodes: 'control' | 'operator' | 'whole';
  /** Bytes that stay free on the disk; half a gigabyte where not given. */
  readonly reserve_bytes?: number;
  /** The recording has ended by itself: the disk is nearly full, or failed. The robot goes on. */
  readonly onEnded: (reason: string) => void;
}

const RESERVE_BYTES = 512e6;

/**
 * Records a robot process: what its control loop senses and does in every tick, its policy steps,
 * safety events and camera images, cut into episodes. The writing is done by a thread of its own; the
 * main thread only passes on what comes a few times a second.
 */
export class Recorder {
  /** What the thread last said of itself. */
  status: RecorderReport = { kind: 'ready', messages: 0, bytes: 0, lost: 0, cpu_s: 0 };
  /** Number of the episode that runs, or of the last; −1 before the first. */
  episode = -1;
  /** Whether an episode runs. */
  running = false;
  private paused = false;
  private following: number | undefined;
  private spans: { begin: number; end: number }[] = [];
  private readonly subscriptions: Subscription[];
  private readonly ended: Promise<RecorderReport>;
  private readonly clock = new StampClock();

  private constructor(
    private readonly robot: RobotProcess,
    private readonly options: RecorderOptions,
    private readonly worker: Worker,
  ) {
    this.ended = new Promise((resolve) => {
      worker.on('message', (report: RecorderReport) => {
        this.status = report;
        if (report.kind === 'full' || report.kind === 'failed') options.onEnded(report.reason!);
        if (report.kind === 'ended' || report.kind === 'failed') resolve(report);
      });
      worker.once('exit', () => resolve(this.status));
    });
    this.subscriptions = [
      robot.steps.subscribe((step) => this.step(step)),
      robot.events.subscribe(({ time_s, cause, joint, value, limit }) => {
        const name = robot.options.spec.joints[joint]?.name ?? '';
        this.post({ kind: 'event', time_s, message: { cause, joint: name, value, limit } });
      }),
    ];
  }

  /** @throws UserError where the file is there already or cannot be made */
  static async start(robot: RobotProcess, options: RecorderOptions): Promise<Recorder> {
    const { spec, task } = robot.options;
    const contract = createTask(task, spec).contract;
    const data: RecorderWorkerData = {
      path: options.path,
      spec,
      buffers: robot.startTrace(),
      reserve_bytes: options.reserve_bytes ?? RESERVE_BYTES,
      metadata: {
        [METADATA]: {
          version: packageInfo.version,
          robot: spec.name,
          joints: JSON.stringify(spec.joints.map((j) => j.name)),
          objects: JSON.stringify(spec.objects.map((o) => o.name)),
          policy_hz: String(spec.rates.policy_hz),
          task,
          contract: JSON.stringify(contract),
        },
      },
    };
    const worker = new Worker(new URL('./recorderWorker.js', import.meta.url), { workerData: data });
    const recorder = new Recorder(robot, options, worker);
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (error) => {
        robot.stopTrace();
        reject(error.name === 'UserError' ? new UserError(error.message) : error);
      });
    });
    if (options.episodes !== 'control') recorder.begin();
    return recorder;
  }

  /**
   * Labels the episode that runs, or else the last one. What is discarded ends, is not exported, and can
   * be done again; where the operator says what is an episode, any label ends it.
   */
  label(outcome: Outcome, notes = ''): void {
    const ends = outcome === 'discard' || this.options.episodes === 'operator';
    if (this.running && ends) this.end(outcome, notes);
    else if (this.episode >= 0) this.mark('label', outcome, notes);
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.mark('pause');
    this.post({ kind: 'pause' });
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.post({ kind: 'resume' });
    this.mark('resume');
  }

  /** A camera's image; the pixels change hands. @param time_s when it was taken, on the robot's clock */
  image(camera: string, width: number, height: number, rgb: Uint8Array<ArrayBuffer>, time_s: number): void {
    const mail: RecorderMail = {
      kind: 'image',
      time_s,
      received_s: this.robot.time.now_s(),
      camera,
      width,
      height,
      rgb,
    };
    this.worker.postMessage(mail, [rgb.buffer]);
  }

  /** Ends the running episode and the file. @returns what was written */
  async stop(): Promise<RecorderReport> {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    if (this.running) this.end('');
    this.robot.stopTrace();
    this.post({ kind: 'end' });
    return this.ended;
  }

  private step(step: Step): void {
    const { time_s, flags } = step;
    if (this.options.episodes === 'control' && step.episode !== this.following) {
      if (this.running) this.end('');
      this.following = step.episode;
      this.begin(time_s - 1 / this.robot.options.spec.rates.policy_hz);
    }
    const authority = authorities[step.authority];
    if (authority === 'person') this.span(time_s);
    this.post({
      kind: 'step',
      time_s,
      message: {
        episode: Math.max(0, this.episode),
        step: step.step,
        reward: step.reward,
        flags,
        authority,
        policy: step.policy,
        observation: Float32Array.from(step.observation),
        next_observation: Float32Array.from(step.nextObservation),
        asked: Float32Array.from(step.asked),
        executed: Float32Array.from(step.executed),
      },
    });
    if (this.options.episodes !== 'control' || flags === 0 || !this.running) return;
    this.end(flags & StepFlag.terminal ? 'failure' : '', '', time_s);
  }

  /** Adds a step in which a person commanded to the spans of interventions. */
  private span(time_s: number): void {
    const step_s = 1 / this.robot.options.spec.rates.policy_hz;
    const end = this.since1970(time_s);
    const last = this.spans.at(-1);
    if (last && end - last.end < 1.5 * step_s) last.end = end;
    else this.spans.push({ begin: end - step_s, end });
  }

  /** Begins the next episode, where the operator says what is one. */
  next(): void {
    if (this.options.episodes === 'operator' && !this.running) this.begin();
  }

  private begin(time_s = this.robot.time.now_s()): void {
    this.episode++;
    this.running = true;
    this.spans = [];
    this.mark('begin', '', '', time_s);
  }

  private end(outcome: Outcome, notes = '', time_s = this.robot.time.now_s()): void {
    this.running = false;
    this.mark('end', outcome, notes, time_s);
  }

  private mark(kind: string, outcome: Outcome = '', notes = '', time_s = this.robot.time.now_s()): void {
    const { task, operator } = this.options;
    const spans = kind === 'end' ? this.spans : [];
    const message = {
      episode: Math.max(0, this.episode),
      kind,
      task,
      outcome,
      operator_name: operator,
      notes,
      intervention_begin: spans.map((s) => s.begin),
      intervention_end: spans.map((s) => s.end),
    };
    this.post({ kind: 'mark', time_s, message });
  }

  private since1970(time_s: number): number {
    const { sec, nanosec } = this.clock.stamp(time_s);
    return sec + 1e-9 * nanosec;
  }

  private post(mail: RecorderMail): void {
    this.worker.postMessage(mail);
  }
}
