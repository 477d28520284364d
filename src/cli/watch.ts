import { Odometer } from '../control/odometer.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import { type Cause, type SafetyEvent, stopping } from '../safety/events.js';
import type { FleetLink } from './fleetLink.js';

/** Weight of a new step in the speed that is shown. */
const SMOOTHING = 0.05;

/** Stops that somebody asked for, or that resets speak of. */
const KNOWN: ReadonlySet<Cause> = new Set<Cause>(['stop_requested', 'emergency_stop', 'fall', 'geofence']);

/** Looks at a robot's steps for the status line and the result, and says why the robot stopped by itself. */
export class Watch {
  readonly odometer = new Odometer();
  private speed_mps = 0;
  private running = 0;
  /** Return of the episode that ended last; of the running one before the first end. */
  private finished: number | undefined;
  private episode = -1;
  private before_m = 0;
  /** Once per stop: what a robot that stands still meets is in its log. */
  private saidWhy = false;

  constructor(
    private readonly robot: RobotProcess,
    notice: (line: string) => void,
  ) {
    robot.steps.subscribe((step) => this.see(step));
    robot.events.subscribe((event) => {
      if (!stopping.has(event.cause) || KNOWN.has(event.cause) || this.saidWhy) return;
      this.saidWhy = true;
      notice(`stops: ${this.inWords(event)}`);
    });
  }

  /** What was met and its limit, in the unit of the cause. */
  private inWords({ cause, joint, value, limit }: SafetyEvent): string {
    const where = this.robot.options.spec.joints[joint]?.name;
    const what = cause.replaceAll('_', ' ') + (where ? ` at ${where}` : '');
    return `${what} (${value.toPrecision(3)}, limit ${limit.toPrecision(3)})`;
  }

  private see(step: Step): void {
    const ended = (step.flags & (StepFlag.terminal | StepFlag.truncated)) !== 0;
    if (!ended) this.saidWhy = false;
    if (step.episode !== this.episode) this.running = 0;
    this.episode = step.episode;
    this.running += step.reward;
    if (ended) this.finished = this.running;
    this.odometer.add(step);
    const { distance_m } = this.odometer;
    const { policy_hz } = this.robot.options.spec.rates;
    this.speed_mps += SMOOTHING * ((distance_m - this.before_m) * policy_hz - this.speed_mps);
    this.before_m = distance_m;
  }

  line(fleet: FleetLink, elapsed_s: number, total_s: number | undefined): string {
    const { options } = this.robot;
    const s = this.robot.status();
    const left = total_s === undefined ? elapsed_s : Math.max(0, total_s - elapsed_s);
    const { learner } = fleet;
    const parts = [
      `${options.task} ${s.asks_person ?? s.latched ?? s.mode}`,
      ...(options.spec.base === 'floating' ? [`${this.speed_mps.toFixed(2)} m/s`, `falls ${s.falls}`] : []),
      `return ${(this.finished ?? this.running).toFixed(1)}`,
      `safety ${s.safety_events}`,
      `late ${s.late_p999_ms.toFixed(1)} ms (missed ${s.missed_ticks})`,
      learner ? `learner ${learner.updates_per_s}/s` : 'no learner',
      `${clock(left)} ${total_s === undefined ? 'gone' : 'left'}`,
    ];
    return parts.join('  ');
  }
}

function clock(seconds: number): string {
  const s = Math.round(seconds);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
