import { now_s } from '../control/clock.js';
import type { Time } from './types.js';

/** A time or duration in seconds as ROS 2 writes it; rounded to the nanosecond. */
export function timeOf(seconds: number, into: Time = { sec: 0, nanosec: 0 }): Time {
  const whole = Math.floor(seconds);
  const nanosec = Math.round(1e9 * (seconds - whole));
  into.sec = nanosec === 1e9 ? whole + 1 : whole;
  into.nanosec = nanosec === 1e9 ? 0 : nanosec;
  return into;
}

export function secondsOf({ sec, nanosec }: Time): number {
  return sec + 1e-9 * nanosec;
}

/**
 * Turns moments on the robot's monotonic clock, as samples carry them, into ROS time. The difference
 * to the system's clock is taken once, so that stamps never jump or run backwards when that clock is
 * set; a process that runs for months drifts by what the system's clock was corrected meanwhile.
 */
export class StampClock {
  private readonly whole_s: number;
  private readonly rest_s: number;

  /** @param offset_s ROS time less the robot's clock: 0 for stamps in simulated time */
  constructor(offset_s = Date.now() / 1e3 - now_s()) {
    // Whole seconds are kept apart: a double that counts from 1970 resolves no better than 0.24 µs.
    this.whole_s = Math.floor(offset_s);
    this.rest_s = offset_s - this.whole_s;
  }

  /** @param time_s on the robot's clock; @param into overwritten and returned */
  stamp(time_s: number, into: Time = { sec: 0, nanosec: 0 }): Time {
    timeOf(time_s + this.rest_s, into);
    into.sec += this.whole_s;
    return into;
  }

  /** ROS time on the robot's clock, seconds. */
  robotTime_s({ sec, nanosec }: Time): number {
    return sec - this.whole_s + 1e-9 * nanosec - this.rest_s;
  }
}
