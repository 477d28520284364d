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
]);

export interface SafetyEvent {
  readonly time_s: number;
  readonly cause: Cause;
  /** Index in `robot.yaml` order, or −1 where no joint is meant. */
  readonly joint: number;
  /** What was asked for or measured, and the limit that it met, in the unit of the cause. */
  readonly value: number;
  readonly limit: number;
}

const FIELDS = 5;

/**
 * The newest events in memory of fixed size, so that a control tick allocates nothing. An
 * intervention that lasts is one event: it is reported again only after a tick without it.
 */
export class EventRing {
  /** Events since construction, whether or not they are still in the ring. */
  total = 0;
  private readonly data: Float64Array;
  private readonly active: Uint8Array;
  private readonly seen: Uint8Array;
  private drained = 0;

  constructor(
    private readonly joints: number,
    private readonly capacity = 256,
  ) {
    this.data = new Float64Array(capacity * FIELDS);
    this.active = new Uint8Array(causes.length * (joints + 1));
    this.seen = new Uint8Array(this.active.length);
  }

  report(time_s: number, cause: Cause, joint: number, value: number, limit: number): void {
    const key = causes.indexOf(cause) * (this.joints + 1) + joint + 1;
    this.seen[key] = 1;
    if (this.active[key]) return;
    this.active[key] = 1;
    const at = (this.total % this.capacity) * FIELDS;
    this.data[at] = time_s;
    this.data[at + 1] = causes.indexOf(cause);
    this.data[at + 2] = joint;
    this.data[at + 3] = value;
    this.data[at + 4] = limit;
    this.total++;
  }

  /** Ends a tick: what was not reported in it counts as over. */
  endTick(): void {
    for (let k = 0; k < this.active.length; k++) {
      this.active[k] = this.seen[k];
      this.seen[k] = 0;
    }
  }

  /** The events since the last call, oldest first; the oldest are lost when more came than the ring holds. */
  drain(): SafetyEvent[] {
    const events: SafetyEvent[] = [];
    for (let n = Math.max(this.drained, this.total - this.capacity); n < this.total; n++) {
      const at = (n % this.capacity) * FIELDS;
      const [time_s, cause, joint, value, limit] = this.data.subarray(at, at + FIELDS);
      events.push({ time_s, cause: causes[cause], joint, value, limit });
    }
    this.drained = this.total;
    return events;
  }
}
