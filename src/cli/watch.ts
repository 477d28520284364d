import { Odometer } from '../control/odometer.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import type { RobotSpec } from '../robot/spec.js';
import { type Cause, type SafetyEvent, stopping } from '../safety/events.js';
import type { FleetLink } from './fleetLink.js';

/** Weight of a new step in the speed that is shown. */
const SMOOTHING = 0.05;

/** Of stops of which two numbers tell more: their unit. Of others the log has the numbers. */
const UNITS: Readonly<Partial<Record<Cause, string>>> = {
  sensor_lost: 's',
  overheated: '°C',
  supply_low: 'V',
  fall: 'rad',
  geofence: 'm',
};

export interface WatchOptions {
  /** Falls and the fence are a reset's to speak of. */
  readonly resets: boolean;
  readonly notice: (line: string) => void;
}

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
    private readonly options: WatchOptions,
  ) {
    robot.steps.subscribe((step) => this.see(step));
    robot.events.subscribe((event) => {
      if (this.saidWhy || !this.isNews(event.cause)) return;
      this.saidWhy = true;
      options.notice(`stops: ${inWords(event, robot.options.spec)}`);
    });
  }

  /** A stop that nobody asked for and that nothing else speaks of; without a command the robot just holds. */
  private isNews(cause: Cause): boolean {
    switch (cause) {
      case 'stop_requested':
      case 'emergency_stop':
      case 'command_stale':
      case 'command_invalid':
        return false;
      case 'fall':
      case 'geofence':
        return !this.options.resets;
      case 'surprise':
        return this.robot.options.gate?.response === 'stop';
      default:
        return stopping.has(cause);
    }
  }

  private see(step: Step): void {
    if (step.episode !== this.episode) this.running = 0;
    this.episode = step.episode;
    this.running += step.reward;
    if (step.flags & (StepFlag.terminal | StepFlag.truncated)) this.finished = this.running;
    this.odometer.add(step);
    const { distance_m } = this.odometer;
    const { policy_hz } = this.robot.options.spec.rates;
    this.speed_mps += SMOOTHING * ((distance_m - this.before_m) * policy_hz - this.speed_mps);
    this.before_m = distance_m;
  }

  line(fleet: FleetLink, elapsed_s: number, total_s: number | undefined): string {
    const { options } = this.robot;
    const s = this.robot.status();
    if (s.mode === 'run' || s.mode === 'hold') this.saidWhy = false;
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

/** The cause, the joint, and where they tell something what was met and its limit. */
function inWords({ cause, joint, value, limit }: SafetyEvent, spec: RobotSpec): string {
  const name = spec.joints[joint]?.name;
  const what = cause.replaceAll('_', ' ') + (name ? ` at ${name}` : '');
  const unit = UNITS[cause];
  return unit ? `${what} (${value.toPrecision(3)} ${unit}, limit ${limit.toPrecision(3)} ${unit})` : what;
}

function clock(seconds: number): string {
  const s = Math.round(seconds);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
