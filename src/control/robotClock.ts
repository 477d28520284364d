import { SampleChannel } from '../robot/channel.js';
import { now_s } from './clock.js';

/** [seconds that the world stood still so far, when it came to stand on this clock; NaN while it goes on] */
const FIELDS = 2;

/**
 * The robot's clock, for every thread of its process: the machine's, less the time for which a simulated
 * world stood still. While it stands the clock does too, and it never runs backwards.
 */
export class RobotClock {
  private readonly channel: SampleChannel;
  private readonly newest = new Float64Array([0, Number.NaN]);
  private shown_s = Number.NEGATIVE_INFINITY;

  /** @param memory from `RobotClock.allocate` */
  constructor(memory: SharedArrayBuffer) {
    this.channel = new SampleChannel(memory);
  }

  static allocate(): SharedArrayBuffer {
    return SampleChannel.allocate(FIELDS);
  }

  now_s(): number {
    this.channel.read(this.newest);
    const stood_s = this.newest[0];
    const standsAt_s = this.newest[1];
    const time_s = Number.isNaN(standsAt_s) ? now_s() - stood_s : standsAt_s;
    // Between the tick that is the last and the word of it, others may have seen the clock a little further.
    this.shown_s = Math.max(this.shown_s, time_s);
    return this.shown_s;
  }
}
