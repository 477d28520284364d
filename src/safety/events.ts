/** Why the kernel intervened. The order is the code under which an event travels through shared memory. */
export const causes = [
  'sensor_stale',
  'sensor_lost',
  'sensor_invalid',
  'sensor_range',
  'command_stale',
  'command_invalid',
  'target_position',
  'target_rate',
  'joint_velocity',
  'joint_torque',
  'fall',
  'emergency_stop',
  'stop_requested',
  'loop_overrun',
  'driver_lost',
  'deadman',
  'supervisor_lost',
  'sensor_frozen',
  'power',
  'workspace',
  'self_collision',
  'geofence',
  'derated',
  'overheated',
  'supply_low',
  'contact',
  'learner_lost',
  'sensor_jump',
  'sensing_gap',
  'surprise',
] as const;
export type Cause = (typeof causes)[number];

/** Causes that make the robot stop; the others only shape what it was asked to do. */
export const stopping: ReadonlySet<Cause> = new Set<Cause>([
  'sensor_lost',
  'sensor_invalid',
  'sensor_range',
  'command_stale',
  'command_invalid',
  'fall',
  'emergency_stop',
  'stop_requested',
  'driver_lost',
  'supervisor_lost',
  'sensor_frozen',
  'sensor_jump',
  'sensing_gap',
  'geofence',
  'overheated',
  'supply_low',
]);

export interface SafetyEvent {
  readonly time_s: number;
  readonly cause: Cause;
  /** Index in `robot.yaml` order, or −1 where no joint is meant. */
  readonly joint: number;
  /** What was asked for or measured, and the limit that it met, in the unit of the cause. */
  readonly value: number;
  readonly limit: number;
  /** Targets that the kernel executed in that tick, in `robot.yaml` order. */
  readonly executed_rad: Float64Array;
}

/** time_s, index in `causes`, joint, value, limit; then the executed targets. */
const SCALARS = 5;

export function eventFields(joints: number): number {
  return SCALARS + joints;
}

export function readEvent(record: Float64Array): SafetyEvent {
  const [time_s, cause, joint, value, limit] = record;
  return { time_s, cause: causes[cause], joint, value, limit, executed_rad: record.slice(SCALARS) };
}

/** What shapes comes and goes with the noise of the sensors: it counts as one event until this long without it, s. */
const QUIET_S = 0.5;

/**
 * The newest events in memory of fixed size, so that a control tick allocates nothing. An
 * intervention that lasts is one event: a stop is reported again after a tick without it, what only
 * shapes after `QUIET_S` without it.
 */
export class EventRing {
  /** Events since construction, whether or not they are still in the ring. */
  total = 0;
  private readonly data: Float64Array;
  private readonly fields: number;
  /** When each cause, joint by joint, was reported last. */
  private readonly last_s: Float64Array;
  /** Reported in the tick before this one, and in this one. */
  private readonly active: Uint8Array;
  private readonly seen: Uint8Array;
  private drained = 0;
  /** Events before this one have their executed targets. */
  private completed = 0;

  constructor(
    private readonly joints: number,
    private readonly capacity = 256,
  ) {
    this.fields = eventFields(joints);
    this.data = new Float64Array(capacity * this.fields);
    this.active = new Uint8Array(causes.length * (joints + 1));
    this.last_s = new Float64Array(this.active.length).fill(Number.NEGATIVE_INFINITY);
    this.seen = new Uint8Array(this.active.length);
  }

  /** Time begins anew: whatever is reported next is news. */
  beginAnew(): void {
    this.last_s.fill(Number.NEGATIVE_INFINITY);
    this.active.fill(0);
  }

  report(time_s: number, cause: Cause, joint: number, value: number, limit: number): void {
    const key = causes.indexOf(cause) * (this.joints + 1) + joint + 1;
    const goesOn = this.active[key] || (!stopping.has(cause) && time_s - this.last_s[key] < QUIET_S);
    this.seen[key] = 1;
    this.active[key] = 1;
    this.last_s[key] = time_s;
    if (goesOn) return;
    const at = (this.total % this.capacity) * this.fields;
    this.data[at] = time_s;
    this.data[at + 1] = causes.indexOf(cause);
    this.data[at + 2] = joint;
    this.data[at + 3] = value;
    this.data[at + 4] = limit;
    this.total++;
  }

  /** Ends a tick: its events get what was executed, and what was not reported in it counts as over. */
  endTick(executed_rad: Float64Array): void {
    for (; this.completed < this.total; this.completed++) {
      const at = (this.completed % this.capacity) * this.fields + SCALARS;
      for (let j = 0; j < this.joints; j++) this.data[at + j] = executed_rad[j];
    }
    for (let k = 0; k < this.active.length; k++) {
      this.active[k] = this.seen[k];
      this.seen[k] = 0;
    }
  }

  /**
   * Copies the next event that was not taken yet; the oldest are lost when more came than the ring holds.
   * @returns false when there is none
   */
  take(into: Float64Array): boolean {
    this.drained = Math.max(this.drained, this.total - this.capacity);
    if (this.drained === this.total) return false;
    const at = (this.drained++ % this.capacity) * this.fields;
    for (let i = 0; i < this.fields; i++) into[i] = this.data[at + i];
    return true;
  }

  /** The events since the last call, oldest first. */
  drain(): SafetyEvent[] {
    const record = new Float64Array(this.fields);
    const events: SafetyEvent[] = [];
    while (this.take(record)) events.push(readEvent(record));
    return events;
  }
}
