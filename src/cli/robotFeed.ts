import { Subscription } from 'rxjs';
import type { Observer } from '../control/observer.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import { Frame, frameSizes } from '../dashboard/frame.js';
import type { EpisodeNote, EventNote, RecordingState, Status } from '../dashboard/protocol.js';
import { feetOf } from '../robot/spec.js';
import { authorities } from '../safety/authority.js';
import { type SafetyEvent, stopping } from '../safety/events.js';
import type { DashboardLink } from './dashboardLink.js';

/** Frames a second while somebody looks, about what a screen shows. */
const FRAME_MS = 16;
/** Unless something changes before. */
const STATUS_MS = 500;
const PERSON = authorities.indexOf('person');

/** Shows a robot process to its dashboard: frames while somebody looks, and notes of what happens. */
export class RobotFeed {
  private readonly observer: Observer;
  private readonly frame: Frame;
  private readonly timer: NodeJS.Timeout;
  private readonly subscriptions = new Subscription();
  private readonly began_ms = Date.now();
  private shown = '';
  private statusAt_ms = 0;
  private episode = { number: -1, return: 0, steps: 0, intervention: false };

  constructor(
    private readonly robot: RobotProcess,
    private readonly link: DashboardLink,
    private readonly recording: () => RecordingState | undefined,
  ) {
    const { spec } = robot.options;
    this.observer = robot.observe();
    this.frame = new Frame(frameSizes({ joints: spec.joints, feet: feetOf(spec), objects: spec.objects }));
    this.subscriptions.add(robot.events.subscribe((event) => this.noteEvent(event)));
    this.subscriptions.add(robot.steps.subscribe((step) => this.noteStep(step)));
    this.timer = setInterval(() => this.look(), FRAME_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.subscriptions.unsubscribe();
  }

  private look(): void {
    const { link, observer, frame } = this;
    this.noteStatus();
    if (!link.watched || !observer.update()) return;
    const { state, command, truth, estimate } = observer;
    const known = Number.isFinite(truth.position_m[0]);
    frame.state.flat.set(state.withoutImage);
    frame.isTruth = known;
    frame.position_m.set(known ? truth.position_m : estimate.position_m);
    frame.velocity_m_s.set(estimate.velocity_m_s);
    frame.target_rad.set(command.position_rad);
    link.send({ kind: 'frame', flat: frame.flat });
  }

  /** At once where something changed that an operator waits to see; else every so often. */
  private noteStatus(): void {
    const s = this.robot.status();
    const recording = this.recording() ?? null;
    const recorded = recording && [recording.episode, recording.running, recording.paused];
    const seen = [s.mode, s.authority, s.latched, s.policy_name, s.episodes, s.asks_person, recorded].join();
    const now_ms = Date.now();
    if (seen === this.shown && now_ms - this.statusAt_ms < STATUS_MS) return;
    this.shown = seen;
    this.statusAt_ms = now_ms;
    const note: Status = {
      kind: 'status',
      mode: s.mode,
      authority: s.authority,
      latched: s.latched ?? null,
      policy: s.policy_name,
      seconds: (now_ms - this.began_ms) / 1e3,
      ticks: s.ticks,
      missed_ticks: s.missed_ticks,
      late_p50_ms: s.late_p50_ms,
      late_p99_ms: s.late_p99_ms,
      late_max_ms: s.late_max_ms,
      safety_events: s.safety_events,
      episodes: s.episodes,
      falls: s.falls,
      drive_watchdog: s.drive_watchdog,
      asks_person: s.asks_person,
      recording,
    };
    this.link.send({ kind: 'note', note });
  }

  private noteEvent({ time_s, cause, joint, value, limit }: SafetyEvent): void {
    const finite = (x: number) => (Number.isFinite(x) ? x : null);
    const note: EventNote = {
      kind: 'event',
      time_s,
      cause,
      joint: this.robot.options.spec.joints[joint]?.name ?? null,
      value: finite(value),
      limit: finite(limit),
      stops: stopping.has(cause),
    };
    this.link.send({ kind: 'note', note });
  }

  private noteStep({ episode, reward, flags, authority }: Step): void {
    if (episode !== this.episode.number)
      this.episode = { number: episode, return: 0, steps: 0, intervention: false };
    this.episode.return += reward;
    this.episode.steps++;
    this.episode.intervention ||= authority === PERSON;
    if (!(flags & (StepFlag.terminal | StepFlag.truncated))) return;
    const note: EpisodeNote = {
      kind: 'episode',
      episode,
      return: this.episode.return,
      seconds: this.episode.steps / this.robot.options.spec.rates.policy_hz,
      fell: (flags & StepFlag.terminal) !== 0,
      intervention: this.episode.intervention,
    };
    this.link.send({ kind: 'note', note });
  }
}
