import type { TypeName } from '../ros/types.js';

/** What is recorded, under which names and, at most, how often. What has no rate comes when it happens. */
export const topics = {
  joints: { topic: '/joint_states', type: 'sensor_msgs/msg/JointState', hz: Number.POSITIVE_INFINITY },
  /** What the safety kernel sent to the drives: target, its velocity, and feed-forward torque. */
  commands: { topic: '/joint_commands', type: 'sensor_msgs/msg/JointState', hz: Number.POSITIVE_INFINITY },
  imu: { topic: '/imu', type: 'sensor_msgs/msg/Imu', hz: 200 },
  tf: { topic: '/tf', type: 'tf2_msgs/msg/TFMessage', hz: 50 },
  safety: { topic: '/safety', type: 'reverie_msgs/msg/SafetyStatus', hz: 50 },
  objects: { topic: '/objects', type: 'std_msgs/msg/Float64MultiArray', hz: 50 },
  events: { topic: '/safety_events', type: 'reverie_msgs/msg/SafetyEvent' },
  steps: { topic: '/policy_step', type: 'reverie_msgs/msg/PolicyStep' },
  episodes: { topic: '/episode', type: 'reverie_msgs/msg/EpisodeMark' },
} as const satisfies Record<string, { topic: string; type: TypeName; hz?: number }>;

export function cameraTopic(name: string): string {
  return `/camera/${name}/image_raw`;
}
export const IMAGE_TYPE = 'sensor_msgs/msg/Image';

/** Name of the metadata record that says what was recorded. */
export const METADATA = 'reverie';

/** Thins a stream out to a rate: lets pass what comes first at or after each of its moments. */
export class Decimator {
  private next_s = Number.NEGATIVE_INFINITY;

  constructor(private readonly hz: number) {}

  passes(time_s: number): boolean {
    if (time_s < this.next_s) return false;
    if (!Number.isFinite(this.hz)) return true;
    const period_s = 1 / this.hz;
    // The grid stays where it began; after a gap it starts anew.
    const late = time_s - this.next_s > period_s;
    this.next_s = late ? time_s + period_s : this.next_s + period_s;
    return true;
  }
}
